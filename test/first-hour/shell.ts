import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { quoted } from "../../lib/cli/invocation/invocation.ts";

export type Outcome = { readonly ok: boolean; readonly output: string; readonly seconds: number };

type At = { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly folder: string; readonly withinMs: number };

/**
 * Runs blocks of commands one after the other in one shell, as in a user's terminal: exports stay for the next block, and the next
 * command runs even if one fails. A block is ok if none of its commands failed. A block that takes longer than `withinMs` ends the
 * shell; it and those after it are not ok.
 */
export async function runBlocks(blocks: readonly string[], { cwd, env, folder, withinMs }: At): Promise<Outcome[]> {
  await mkdir(folder, { recursive: true });
  const file = (index: number, kind: string): string => join(folder, `${index}.${kind}`);
  for (const [index, block] of blocks.entries()) await writeFile(file(index, "sh"), `${block}\n`);
  const steps = blocks.map((_block, index) => {
    const [script, output] = [quoted(file(index, "sh")), quoted(file(index, "out"))];
    return `failed=0; source ${script} < /dev/null > ${output} 2>&1; echo ${index} $failed >&3`;
  });
  await writeFile(join(folder, "all.sh"), ["set -E", "trap 'failed=1' ERR", ...steps].join("\n"));
  const ends = await run(join(folder, "all.sh"), { cwd, env, withinMs });
  return Promise.all(
    blocks.map(async (_block, index) => {
      const end = ends.get(index);
      const output = await readFile(file(index, "out"), "utf8").catch(() => "");
      if (end === undefined)
        return { ok: false, output: `${output}\n(it did not end within ${withinMs / 1_000} s, or was not reached)`, seconds: 0 };
      return { ok: end.ok, output, seconds: end.seconds };
    }),
  );
}

type End = { readonly ok: boolean; readonly seconds: number };

function run(script: string, { cwd, env, withinMs }: Omit<At, "folder">): Promise<ReadonlyMap<number, End>> {
  const child = spawn("bash", ["--noprofile", "--norc", script], {
    cwd,
    env,
    detached: true,
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  const ends = new Map<number, End>();
  let sinceMs = performance.now();
  const kill = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  };
  let timer = setTimeout(kill, withinMs);
  const reports = child.stdio[3];
  if (!reports || !("read" in reports)) throw new Error("the shell has no way to report");
  createInterface({ input: reports }).on("line", (line) => {
    const [index = 0, failed] = line.split(" ").map(Number);
    ends.set(index, { ok: failed === 0, seconds: Math.round((performance.now() - sinceMs) / 1_000) });
    sinceMs = performance.now();
    clearTimeout(timer);
    timer = setTimeout(kill, withinMs);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => {
      clearTimeout(timer);
      resolve(ends);
    });
  });
}
