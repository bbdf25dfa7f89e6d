import { expect, test } from "vitest";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import { jsonLog } from "../../../lib/worker/runtime/log.ts";

function logging() {
  const lines: string[] = [];
  const log = jsonLog(
    (line) => lines.push(line),
    () => Date.UTC(2026, 0, 5),
  );
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? "") };
}

test("the worker logs one JSON object per line", () => {
  const { log, lines, last } = logging();
  log("info", "attempt starting", { attempt: "vision/a/1", gpus: undefined });
  expect(last()).toEqual({ time: "2026-01-05T00:00:00.000Z", level: "info", message: "attempt starting", attempt: "vision/a/1" });
  expect(lines[0]).toMatch(/^\{.*\}\n$/);
});

test("the worker logs an error with its class, its stack and its causes, and none of its other fields", () => {
  const { log, lines, last } = logging();
  const cause = Object.assign(new RangeError("refused"), { code: "ECONNREFUSED", credentials: { secretAccessKey: "5ec7e7" } });
  log(
    "warn",
    "node call failed",
    { attempt: "vision/a/1" },
    new FleetError("node-call", "The node function could not be reached", { cause }),
  );
  expect(last()).toMatchObject({
    message: "node call failed",
    attempt: "vision/a/1",
    error: { name: "FleetError", code: "node-call", cause: { name: "RangeError", message: "refused", code: "ECONNREFUSED" } },
  });
  expect(last().error.stack).toMatch(/at .*log\.test\.ts/);
  expect(last().error.cause.stack).toMatch(/at .*log\.test\.ts/);
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain("5ec7e7");
});
