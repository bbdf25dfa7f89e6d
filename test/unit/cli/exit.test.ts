import { afterEach, describe, expect, it, vi } from "vitest";
import { explain, UsageError, whatWentWrong } from "../../../lib/cli/invocation/exit.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";

afterEach(() => vi.unstubAllEnvs());

function explained(error: unknown): { code: number; lines: string[] } {
  const lines: string[] = [];
  return { code: explain(error, (line) => lines.push(line)), lines };
}

describe("an error's exit code and words", () => {
  it("the exit code of a usage error is 2", () => {
    expect(explained(new UsageError("no such team"))).toEqual({ code: 2, lines: ["fleet: no such team"] });
  });

  it("the exit code of a known failure is 1, without a stack", () => {
    expect(explained(new FleetError("no-job", "there is no job x"))).toEqual({ code: 1, lines: ["fleet: there is no job x"] });
  });

  it.each(["invalid", "cursor"])("the exit code is 2 if the API says that the input is wrong: %s", (code) => {
    expect(explained(new FleetError(code, "`until` must be at least a minute ahead")).code).toBe(2);
  });

  it("the exit code of an unexpected error is 1, with a hint how to see its stack", () => {
    const { code, lines } = explained(new TypeError("x is not a function"));
    expect(code).toBe(1);
    expect(lines).toEqual(["fleet: x is not a function", expect.stringContaining("FLEETWRIGHT_DEBUG=1")]);
  });

  it("FLEETWRIGHT_DEBUG shows the stack of an error", () => {
    vi.stubEnv("FLEETWRIGHT_DEBUG", "1");
    expect(explained(new FleetError("no-job", "gone")).lines.join("\n")).toMatch(/at .*exit\.test\.ts/);
  });

  it("FLEETWRIGHT_DEBUG shows the causes of an error, each with its stack, and the request's id", () => {
    vi.stubEnv("FLEETWRIGHT_DEBUG", "1");
    const aws = Object.assign(new Error("slow down"), {
      name: "SlowDown",
      $metadata: { requestId: "r-1", httpStatusCode: 503 },
      $response: "secret",
    });
    const { code, lines } = explained(new UsageError("the file cannot be read", { cause: new AggregateError([aws], "both failed") }));
    expect(code).toBe(2);
    expect(lines[0]).toBe("fleet: the file cannot be read");
    expect(lines[1]).toMatch(/^UsageError: the file cannot be read\n {4}at .*exit\.test\.ts/);
    expect(lines[2]).toMatch(/^caused by: AggregateError: both failed\n {4}at .*exit\.test\.ts/);
    expect(lines[3]).toMatch(/^one of its errors: SlowDown: slow down|^one of its errors: Error: slow down/);
    expect(lines[4]).toBe("    (status 503, requestId r-1)");
    expect(lines.join()).not.toContain("secret");
  });
});

it("every error has a message, even one whose own message is empty", () => {
  expect(whatWentWrong(new AggregateError([new Error("refused ::1"), new Error("refused 127.0.0.1")]))).toBe(
    "refused ::1; refused 127.0.0.1",
  );
  expect(whatWentWrong(new RangeError(""))).toBe("RangeError");
  expect(whatWentWrong("plain text")).toBe("plain text");
});
