import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startProgram } from "../../../lib/worker/program/program.ts";
import { type Cgroups, cgroupsBelow } from "../../../lib/worker/run/cgroup.ts";

/** The mount point of a real cgroup v2, or undefined if there is none in which this process could make cgroups. */
const mount = process.getuid?.() === 0 ? /^\S+ (\S+) cgroup2 (?:rw|rw,\S*) /m.exec(readFileSync("/proc/mounts", "utf8"))?.[1] : undefined;

/** Each ends only after a process of its own has printed its cgroup, in a session of its own or without any environment. */
const programs: Readonly<Record<string, readonly string[]>> = {
  "a shell that starts another at once": ["sh", "-c", "cat /proc/self/cgroup & cat /proc/self/cgroup; wait"],
  "a session of its own": ["sh", "-c", "setsid sh -c 'cat /proc/self/cgroup' & cat /proc/self/cgroup; wait"],
  "a process without its environment": ["sh", "-c", "env -i /usr/bin/setsid /bin/cat /proc/self/cgroup & cat /proc/self/cgroup; wait"],
  python: ["python3", "-c", "import os; child = os.fork(); print(open('/proc/self/cgroup').read(), flush=True); child and os.wait()"],
};
const tries = 5;

describe.skipIf(mount === undefined)("a program on a real cgroup v2 (needs root and a mounted one)", () => {
  const root = join(mount ?? "", `fw-test-${process.pid}`);
  let cgroups: Cgroups;
  let folder: string;
  beforeAll(async () => {
    await mkdir(root);
    folder = await mkdtemp(join(tmpdir(), "fw-confined-"));
    // The worker of this test is not moved: the test process stays where it is.
    const sleeper = await startProgram({ file: "/bin/sleep", command: ["sleep", "600"], folder, env: {}, output: () => undefined });
    cgroups = await cgroupsBelow(root, sleeper.pid);
    sleepers.push(() => sleeper.stop(0));
  });
  const sleepers: (() => void)[] = [];
  afterAll(async () => {
    for (const stop of sleepers) stop();
    await pause(200);
    for (const { name } of (await readdir(root, { withFileTypes: true })).filter((each) => each.isDirectory()))
      await vi.waitFor(() => rmdir(join(root, name)));
    await rmdir(root);
    await rm(folder, { recursive: true });
  });

  async function run(name: string, command: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const cgroup = await cgroups.make(name, { vcpus: 1, memoryGiB: 1 });
    let out = "";
    const file = command[0] === "python3" ? "/usr/bin/python3" : "/bin/sh";
    const program = await startProgram({
      file,
      command,
      folder,
      env: { PATH: "/usr/bin:/bin", ...env },
      cgroupProcs: cgroup.procs,
      output: (_from, bytes) => {
        out += bytes.toString();
        return undefined;
      },
    });
    const exit = await program.exited;
    return { exit, lines: out.split("\n").filter((line) => line.startsWith("0::")), cgroup, pid: program.pid };
  }

  test.each(Object.entries(programs))(
    "%s cannot escape: all that it starts is in its cgroup",
    { timeout: 60_000 },
    async (_what, command) => {
      for (let n = 0; n < tries; n += 1) {
        const { exit, lines, cgroup } = await run(`job-${n}`, command);
        expect(exit.code).toBe(0);
        expect(lines.length).toBeGreaterThanOrEqual(2);
        expect(new Set(lines)).toEqual(new Set([expect.stringMatching(new RegExp(`/fw-test-${process.pid}/job-${n}$`))]));
        await cgroup.end();
      }
    },
  );

  test("a job's environment cannot make the launcher run something else", { timeout: 30_000 }, async () => {
    const { exit, lines, cgroup } = await run("evil", ["sh", "-c", "cat /proc/self/cgroup"], {
      LD_PRELOAD: "/no/such/library.so",
      NODE_OPTIONS: "--require /no/such/module.cjs",
      "BASH_FUNC_exec%%": "() { :; }",
    });
    expect([exit.code, lines]).toEqual([0, [expect.stringMatching(/\/evil$/)]]);
    await cgroup.end();
  });

  test("the end of a cgroup ends what has left the program's process group", { timeout: 30_000 }, async () => {
    const { cgroup } = await run("left", ["sh", "-c", "setsid sleep 300 & sleep 0.1"]);
    expect(await readFile(cgroup.procs, "utf8")).not.toBe("");
    await cgroup.end();
    await expect.poll(() => readFile(cgroup.procs, "utf8").catch(() => "")).toBe("");
  });
});
