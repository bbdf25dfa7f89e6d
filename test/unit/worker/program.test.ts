import { spawnSync } from "node:child_process";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Program, type ProgramOptions, signalGroup, startProgram } from "../../../lib/worker/program/program.ts";
import { limitRuntime } from "../../../lib/worker/program/running.ts";
import { linesInto } from "./output-lines.ts";

let folder: string;
const running: Program[] = [];
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "fw-program-")));
});
afterEach(async () => {
  for (const program of running.splice(0)) {
    program.stop(0);
    await program.exited;
  }
  await rm(folder, { recursive: true, force: true });
});

async function start(script: string, over: Partial<ProgramOptions> = {}): Promise<{ program: Program; lines: string[] }> {
  const lines: string[] = [];
  const program = await startProgram({
    file: process.execPath,
    command: ["node", "-e", script],
    folder,
    env: { GREETING: "hello" },
    output: linesInto(lines),
    ...over,
  });
  running.push(program);
  return { program, lines };
}

const untilPrinted = async (lines: readonly string[], word: string): Promise<void> => {
  while (!lines.includes(word)) await new Promise((resolve) => setTimeout(resolve, 10));
};

/** A zombie process counts as dead. */
const isAlive = (pid: string | undefined): boolean => /^[^Z]/.test(spawnSync("ps", ["-o", "stat=", "-p", pid ?? ""]).stdout.toString());

describe("a program", () => {
  test("a program has its folder and only its own environment, and its output is passed on", async () => {
    const { program, lines } = await start(
      "console.log(process.cwd()); console.log(Object.keys(process.env).filter(k => !k.startsWith('__')).join()); console.error(process.env.GREETING)",
    );
    expect(await program.exited).toEqual({ code: 0 });
    expect(lines.toSorted()).toEqual([folder, "GREETING", "hello"].toSorted());
  });

  test("a program ends with its exit code and the last lines of stderr", async () => {
    const script = "for (let i = 0; i < 30; i++) console.error('line ' + i); console.log('out'); process.exitCode = 3";
    const { program } = await start(script);
    const exit = await program.exited;
    expect(exit.code).toBe(3);
    expect(exit.reason).toMatch(/^line 10\n[\s\S]*line 29$/);
    expect(await (await start("process.exit(7)")).program.exited).toEqual({ code: 7 });
  });

  test("a program's reason has a bounded length", async () => {
    const { program } = await start("console.error('x'.repeat(5000)); process.exitCode = 1");
    expect((await program.exited).reason?.length).toBe(1_000);
  });

  test("a program that is killed by a signal ends with 128 plus the signal's number", async () => {
    const { program } = await start("process.kill(process.pid, 'SIGSEGV'); setInterval(() => {}, 1000)");
    expect(await program.exited).toEqual({ code: 139, reason: "killed by SIGSEGV" });
  });

  test("a stopped program receives SIGTERM first and can still write output", async () => {
    const { program, lines } = await start(
      "process.on('SIGTERM', () => { console.log('saved'); process.exit(0) }); setInterval(() => {}, 1000); console.log('ready')",
    );
    await untilPrinted(lines, "ready");
    program.stop(5_000);
    expect(await program.exited).toEqual({ code: 0 });
    expect(lines).toEqual(["ready", "saved"]);
  });

  test("a program that ignores SIGTERM is killed, and a second stop can shorten the grace period", async () => {
    const { program, lines } = await start("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('ready')");
    await untilPrinted(lines, "ready");
    program.stop(60_000);
    program.stop(50);
    expect((await program.exited).code).toBe(137);
  });

  test("a program that runs too long ends with the exit code of timeout(1)", async () => {
    const { program, lines } = await start("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('ready')");
    await untilPrinted(lines, "ready");
    const ended = program.exited.then((exit) => ({ kind: "exited" as const, ...exit }));
    const limited = limitRuntime({ startedAtMs: 5, ended, stop: program.stop }, { maxRuntimeMs: 300, graceMs: 100 });
    expect(await limited.ended).toEqual({ kind: "exited", code: 124, reason: "ran longer than 0.3 s" });
    expect((await program.exited).code).toBe(137);
  });

  test("a program's children end with it", async () => {
    const { program, lines } = await start(
      "const c = require('child_process').spawn('sleep', ['60'], { stdio: 'inherit' }); console.log(c.pid); setTimeout(() => process.exit(0), 100)",
    );
    expect(await program.exited).toEqual({ code: 0 });
    await expect.poll(() => isAlive(lines[0])).toBe(false);
  });

  test("a program waits while its output cannot be accepted, and loses none of it", async () => {
    let taken = 0;
    let most = 0;
    const { program } = await start("process.stdout.write('x'.repeat(1_000_000)); process.stderr.write('y'.repeat(100_000))", {
      output: (_from, bytes) => {
        taken += bytes.length;
        most = Math.max(most, bytes.length);
        return new Promise((resolve) => setTimeout(resolve, 1));
      },
    });
    expect(await program.exited).toEqual({ code: 0 });
    expect(taken).toBe(1_100_000);
    expect(most).toBeLessThanOrEqual(64 * 1024);
  });

  test("starting a program rejects if the system cannot start it", async () => {
    await expect(start("", { file: join(folder, "missing") })).rejects.toThrow("ENOENT");
  });
});

test("process groups 0 and 1 are never signalled", () => {
  for (const pid of [-1, 0, 1]) expect(signalGroup(pid, "SIGTERM")).toBe(false);
});
