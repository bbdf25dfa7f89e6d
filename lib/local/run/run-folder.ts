import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

/** The folder of a running local cloud: its logs, its nodes' files, and a note of its process. */
export type RunFolder = {
  readonly path: string;
  /** Records which assembly this run uses, so that no other start prunes it. */
  use(assembly: string): Promise<void>;
};

const Note = z.object({ pid: z.number(), assembly: z.string().optional() });
const keepMs = 24 * 3_600_000;

/** Creates a folder for a run. Deletes the folders of runs that ended more than a day ago. */
export async function createRunFolder(folder: string, nowMs: number): Promise<RunFolder> {
  const path = join(
    folder,
    "runs",
    `${new Date(nowMs).toISOString().replace(/[-:.]/g, "")}-${process.pid}-${Math.floor(performance.now())}`,
  );
  await mkdir(path, { recursive: true });
  const note = async (content: z.infer<typeof Note>): Promise<void> => {
    const fresh = join(path, ".run.json");
    await writeFile(fresh, JSON.stringify(content));
    await rename(fresh, join(path, "run.json"));
  };
  await note({ pid: process.pid });
  await prune(folder, nowMs);
  return { path, use: (assembly) => note({ pid: process.pid, assembly }) };
}

/** Returns the assemblies that the runs of living processes use. */
export async function assembliesInUse(folder: string): Promise<Set<string>> {
  const runs = await Promise.all((await readdir(join(folder, "runs"))).map((name) => noteIn(join(folder, "runs", name))));
  return new Set(runs.flatMap((run) => (run?.assembly !== undefined && isAlive(run.pid) ? [run.assembly] : [])));
}

async function prune(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(join(folder, "runs"))) {
    const path = join(folder, "runs", name);
    const [, day, time] = /^(\d{8})T(\d{6})/.exec(name) ?? [];
    if (day === undefined || time === undefined) continue;
    const startedAtMs = Date.parse(`${day.replace(/(....)(..)(..)/, "$1-$2-$3")}T${time.replace(/(..)(..)(..)/, "$1:$2:$3")}Z`);
    const run = await noteIn(path);
    if (nowMs - startedAtMs > keepMs && !(run && isAlive(run.pid))) await rm(path, { recursive: true, force: true });
  }
}

/** Returns a run's note, or undefined if there is none that can be read. */
const noteIn = (path: string): Promise<z.infer<typeof Note> | undefined> =>
  readFile(join(path, "run.json"), "utf8")
    .then((text) => Note.safeParse(JSON.parse(text)).data)
    .catch(() => undefined);

/** Reports whether a process with this id runs. If another process has reused the id, a folder is only kept longer. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
