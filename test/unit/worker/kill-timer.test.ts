import { tmpdir } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { startProgram } from "../../../lib/worker/program/program.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

test("a program that has ended is not signalled any more, because its id may belong to another job", async () => {
  const program = await startProgram({
    file: process.execPath,
    command: ["node", "-e", "setInterval(() => {}, 1000)"],
    folder: tmpdir(),
    env: {},
    output: () => undefined,
  });
  program.stop(400);
  program.stop(500);
  await program.exited;
  const kill = vi.spyOn(process, "kill");
  program.stop(0);
  await pause(600);
  expect(kill).not.toHaveBeenCalled();
});
