import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { logs } from "../../lib/cli/commands/jobs/logs.ts";
import { wholeLog } from "../../lib/cli/commands/jobs/whole-log.ts";
import type { Console } from "../../lib/cli/terminal/console.ts";
import { openStage, type Stage, shell } from "../e2e/stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
}, 240_000);
afterAll(() => stage.close());

const team = "research";
type Options = Parameters<typeof logs>[1];

/** Runs a command, and returns its output. */
async function run(
  command: typeof logs,
  job: string,
  options: Options = {},
): Promise<{ code: number; lines: string[]; bytes: Buffer; notes: string[] }> {
  const [lines, chunks, notes] = [[] as string[], [] as Uint8Array[], [] as string[]];
  const console: Console = {
    out: (line) => void lines.push(line),
    note: (line) => void notes.push(line),
    jobLog: (line) => void lines.push(line),
    raw: (text) => void lines.push(text),
    bytes: async (chunk) => void chunks.push(Uint8Array.from(chunk)),
    isTerminal: false,
    progress: () => undefined,
    paint: (_colour, text) => text,
    width: 100,
  };
  const code = await command(job, { team, ...options }, { connection: stage.connection, console, nowMs: Date.now(), pause });
  return { code, lines, bytes: Buffer.concat(chunks), notes };
}
const count = (most: number): string => Array.from({ length: most }, (_, index) => `${index + 1}\n`).join("");
const sha256 = (bytes: Buffer | string): string => createHash("sha256").update(bytes).digest("hex");

describe("the first hour with logs", () => {
  test("fleet logs shows the last of 200,000 lines and reports what was left out, and the kept log is equal byte for byte", async () => {
    const id = await stage.send(shell("seq 1 200000; echo final accuracy: 0.93", { id: "many-lines" }));
    expect(await stage.ended(id)).toMatchObject({ state: "succeeded" });
    const kept = await run(wholeLog, id, { whole: true });
    expect({ code: kept.code, notes: kept.notes }).toEqual({ code: 0, notes: [] });
    expect(sha256(kept.bytes)).toBe(sha256(`${count(200_000)}final accuracy: 0.93\n`));
    const shown = await run(logs, id);
    expect(shown.lines[0]).toBe("1");
    expect(shown.lines.at(-1)).toBe("final accuracy: 0.93");
    expect(shown.lines.filter((line) => /^\[fleetwright: \d+ lines .* fleet logs many-lines --whole/.test(line))).toHaveLength(1);
    expect(shown.notes.at(-1)).toContain("logs many-lines --whole");
    expect((await run(logs, id, { tail: 2 })).lines).toEqual(["200000", "final accuracy: 0.93"]);
  });

  test("neither the kept nor the live log misses any of 3,000 lines at 800 lines per second", async () => {
    const python = "import time\nfor i in range(3000):\n  print('step', i, 'loss', 0.5)\n  time.sleep(1/800)";
    const id = await stage.send({ id: "steady", command: ["python3", "-c", python], maxRuntimeSeconds: 60 });
    expect(await stage.ended(id)).toMatchObject({ state: "succeeded" });
    const expected = Array.from({ length: 3_000 }, (_, index) => `step ${index} loss 0.5`);
    expect((await run(wholeLog, id, { whole: true })).bytes.toString().trimEnd().split("\n")).toEqual(expected);
    expect((await run(logs, id)).lines).toEqual(expected);
  });

  test("output without a line end, and output of Python, is shown while the job runs", async () => {
    const python = "import time\nprint('Downloading', end='')\ntime.sleep(6)\nprint(' done')";
    const id = await stage.send({ id: "partial", command: ["python3", "-c", python], maxRuntimeSeconds: 60 });
    await stage.until(id, ({ state }) => state === "running");
    await expect.poll(async () => (await run(logs, id)).lines.join("|"), { timeout: 15_000, interval: 300 }).toBe("Downloading|");
    expect((await stage.connection.jobs.get({ team, job: id }))?.state).toBe("running");
    expect(await stage.ended(id)).toMatchObject({ state: "succeeded" });
    expect((await run(wholeLog, id, { whole: true })).bytes.toString()).toBe("Downloading done\n");
  });

  test("the logs of a failed gang's members are kept, and shown by rank", async () => {
    const script = "echo rank $RANK of $WORLD_SIZE; [ $RANK = 0 ] && sleep 3; echo member $RANK says why it failed >&2; exit 9";
    const id = await stage.send(shell(script, { id: "gang", nodes: 2 }));
    expect(await stage.until(id, ({ state }) => state === "failed", { withinMs: 80_000 })).toMatchObject({ state: "failed" });
    const lines = ["rank 1 of 2", "member 1 says why it failed"];
    await expect.poll(async () => (await run(logs, id, { rank: 1 })).lines, { timeout: 20_000, interval: 500 }).toEqual(lines);
    // The lines of each member arrive on their own.
    await expect
      .poll(async () => (await run(logs, id, { rank: "all" })).lines, { timeout: 20_000, interval: 500 })
      .toEqual(expect.arrayContaining(["[0] rank 0 of 2", "[1] member 1 says why it failed"]));
    expect((await run(wholeLog, id, { whole: true, rank: 1 })).bytes.toString()).toBe(`${lines.join("\n")}\n`);
  });
}, 120_000);
