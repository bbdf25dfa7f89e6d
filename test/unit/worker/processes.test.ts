import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ProgramEnd } from "../../../lib/worker/program/running.ts";
import type { Cgroups } from "../../../lib/worker/run/cgroup.ts";
import { type AttemptFolder, folderOf, makeFolder } from "../../../lib/worker/run/folders.ts";
import { processesOn } from "../../../lib/worker/run/processes.ts";
import { workerLogInto } from "../../fakes/log-lines.ts";
import { runOrder } from "./http-fakes.ts";
import { ManualClock } from "./manual-clock.ts";

let root: string;
let folder: AttemptFolder;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fw-processes-"));
  folder = folderOf(root, { team: "vision", job: "train-1", attempt: 1 });
  await makeFolder(folder, undefined);
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Begins a job as a plain process. */
async function begin(command: readonly string[], cgroups?: Cgroups) {
  const logged: string[] = [];
  const output: string[] = [];
  const clock = new ManualClock();
  const machine = { path: process.env["PATH"] ?? "", cgroups, log: workerLogInto(logged) };
  const begun = await processesOn(machine)({
    order: runOrder({ command, memoryGiB: 3 }),
    folder,
    data: undefined,
    gpus: [],
    output: (_from, bytes) => void output.push(bytes.toString()),
    onLine: () => undefined,
    tries: { clock, random: () => 0, signal: new AbortController().signal, most: 1 },
  });
  return { begun, logged, output, clock };
}
async function endOf(command: readonly string[], cgroups?: Cgroups): Promise<{ end: ProgramEnd; logged: string[] }> {
  const { begun, logged } = await begin(command, cgroups);
  return { end: "kind" in begun ? begun : await begun.ended, logged };
}
/** Cgroups in which a program runs out of memory, or does not, and whose end may fail. */
function cgroupsWith(end: () => { ranOutOfMemory: boolean }) {
  const held: unknown[] = [];
  const cgroups: Cgroups = {
    make: async (name, { vcpus, memoryGiB }) => {
      held.push({ name, vcpus, memoryGiB });
      return { procs: join(root, "cgroup.procs"), end: async () => end() };
    },
  };
  return { cgroups, held };
}

describe("a job as a plain process", () => {
  test("a job's program starts at the time of the clock, and its process is on record while it runs", async () => {
    const { begun, clock, output } = await begin(["sh", "-c", "echo $$; exec sleep 60"]);
    if ("kind" in begun) throw new Error("it has ended");
    await expect.poll(() => output.join("")).toMatch(/^\d+\n$/);
    const { pid } = JSON.parse(await readFile(join(folder.root, "program.json"), "utf8"));
    expect(String(pid)).toBe(output.join("").trim());
    expect(begun.startedAtMs).toBe(clock.wallMs());
    begun.stop(0);
    expect(await begun.ended).toMatchObject({ kind: "exited", reason: expect.stringMatching(/^killed by SIG(TERM|KILL)$/) });
  });

  test.each([
    ["is not there", ["no-such-program"], 127, /^command not found: there is no "no-such-program" on this node's PATH$/],
    ["is too long for the system", ["true", "x".repeat(300_000)], 126, /^the command could not be started: .*E2BIG/],
  ])("a command that %s ends the job with the code of a shell and the reason", async (_what, command, code, reason) => {
    const { end, logged } = await endOf(command);
    expect(end).toEqual({ kind: "exited", code, reason: expect.stringMatching(reason) });
    expect(logged).toEqual(code === 126 ? ["job command not started"] : []);
  });

  test.each([
    ["20 lines", "i=1; while [ $i -le 25 ]; do echo line $i >&2; i=$((i+1)); done; exit 3", /^line 6\nline 7\n(.*\n)+line 25$/],
    ["1,000 characters", "head -c 3000 /dev/zero | tr '\\0' x >&2; echo end >&2; exit 3", /^…x{996}end$/],
  ])("the reason of a program that fails is the last %s of its errors", async (_what, script, reason) => {
    expect((await endOf(["sh", "-c", script])).end).toEqual({ kind: "exited", code: 3, reason: expect.stringMatching(reason) });
  });

  test.runIf(process.platform === "linux")("processes that left a program's group are ended with it", async () => {
    const { begun, output } = await begin(["sh", "-c", "setsid sleep 60 >/dev/null 2>&1 & echo $!"]);
    if ("kind" in begun) throw new Error("it has ended");
    expect(await begun.ended).toEqual({ kind: "exited", code: 0 });
    const stat = () => readFile(`/proc/${output.join("").trim()}/stat`, "utf8").catch(() => "gone");
    // A zombie process counts as ended.
    await expect.poll(stat).toMatch(/^gone$|\) Z /);
  });
});

describe("a job with limits", () => {
  test("a job's program starts in a cgroup of its own with the job's limits", async () => {
    const { cgroups, held } = cgroupsWith(() => ({ ranOutOfMemory: false }));
    const { end, logged } = await endOf(["sh", "-c", "echo no >&2; exit 3"], cgroups);
    expect(held).toEqual([{ name: "vision.train-1.1", vcpus: 2, memoryGiB: 3 }]);
    expect(await readFile(join(root, "cgroup.procs"), "utf8")).toBe("0");
    expect(end).toEqual({ kind: "exited", code: 3, reason: "no" });
    expect(logged).toEqual([]);
  });

  test.each([
    ["has that reason before its own", "echo no >&2; exit 137", 137, "ran out of its 3 GiB of memory; no"],
    ["has that reason alone if it printed nothing", "exit 137", 137, "ran out of its 3 GiB of memory; "],
    ["succeeds if only a part of it was ended", "exit 0", 0, undefined],
  ])("a program that ran out of memory %s", async (_what, script, code, reason) => {
    const { cgroups } = cgroupsWith(() => ({ ranOutOfMemory: true }));
    expect((await endOf(["sh", "-c", script], cgroups)).end).toEqual({ kind: "exited", code, ...(reason !== undefined && { reason }) });
  });

  test("a program does not start if its limits cannot be set, because it could use up the memory of others", async () => {
    const cannotMake: Cgroups = { make: () => Promise.reject(new Error("no cgroup")) };
    await expect(endOf(["sh", "-c", "touch started"], cannotMake)).rejects.toThrow("no cgroup");
    await expect(readFile(join(folder.work, "started"))).rejects.toThrow("ENOENT");
  });

  test("a program whose process cannot be recorded is ended, because a restarted worker would not find it", async () => {
    const { cgroups } = cgroupsWith(() => ({ ranOutOfMemory: false }));
    await mkdir(join(folder.root, "program.json"));
    await expect(endOf(["sh", "-c", "sleep 5; touch finished"], cgroups)).rejects.toThrow(/EISDIR|ENOTEMPTY|ENOTDIR/);
    await expect(readFile(join(folder.work, "finished"))).rejects.toThrow("ENOENT");
  });

  test.each<[string, (path: string) => string, number, RegExp | undefined]>([
    ["a script without an interpreter, which the shell runs", () => "exit 7\n", 7, undefined],
    [
      "a script with an interpreter that does not exist",
      () => "#!/no/such/shell\n",
      126,
      /could not be started: ENOENT: its interpreter \/no\/such\/shell does not exist/,
    ],
    ["a script with an interpreter", () => "#!/bin/sh\nexit 6\n", 6, undefined],
  ])("in its cgroup, %s ends as it does outside of one", async (_what, text, code, reason) => {
    const { cgroups } = cgroupsWith(() => ({ ranOutOfMemory: false }));
    await writeFile(join(folder.work, "script"), text(folder.work), { mode: 0o755 });
    const { end } = await endOf(["./script"], cgroups);
    expect(end).toEqual({ kind: "exited", code, ...(reason && { reason: expect.stringMatching(reason) }) });
  });

  test("a program keeps its end if its cgroup cannot be removed", async () => {
    const { cgroups } = cgroupsWith(() => {
      throw new Error("busy");
    });
    expect(await endOf(["sh", "-c", "exit 4"], cgroups)).toEqual({ end: { kind: "exited", code: 4 }, logged: ["cgroup not ended"] });
  });
});
