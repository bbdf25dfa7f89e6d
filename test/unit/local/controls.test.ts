import { describe, expect, it } from "vitest";
import { createControls } from "../../../lib/local/controls.ts";
import { Fault } from "../../../lib/model/fault.ts";

function stage() {
  const calls: unknown[] = [];
  const refuse = (id: string): void => {
    if (id === "i-none") throw new Fault("no-instance", `There is no instance ${id}`);
    if (id === "i-demand") throw new Fault("not-spot", `${id} is an on-demand instance`);
    if (id === "i-over") throw new Fault("not-running", `${id} has ended`);
  };
  const answer = createControls({
    interrupt: (id, options) => {
      refuse(id);
      calls.push(["interrupt", id, options]);
      return Date.UTC(2026, 0, 1);
    },
    recommendRebalance: (id) => {
      refuse(id);
      calls.push(["rebalance", id]);
    },
    remaining: () => [],
  });
  const ask = (path: string, body: unknown, change: { method?: string; type?: string } = {}) => {
    const { method = "POST", type = "application/json; charset=utf-8" } = change;
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const { status, body: said } = answer({ method, path, headers: { "content-type": type }, body: Buffer.from(text) });
    return { status, ...JSON.parse(String(said)) };
  };
  return { ask, calls };
}

describe("the local cloud's controls", () => {
  it("interrupt an instance, and say that it may be", () => {
    const { ask, calls } = stage();
    expect(ask("/_local/interrupt", { instance: "i-1" })).toEqual({ status: 200, instance: "i-1", endsAt: "2026-01-01T00:00:00.000Z" });
    expect(ask("/_local/interrupt", { instance: "i-1", noticeMs: 5 })).toMatchObject({ status: 200 });
    expect(ask("/_local/rebalance", { instance: "i-1" })).toEqual({ status: 200, instance: "i-1" });
    expect(calls).toEqual([
      ["interrupt", "i-1", {}],
      ["interrupt", "i-1", { noticeMs: 5 }],
      ["rebalance", "i-1"],
    ]);
  });

  it.each([
    ["an instance that is not there", "/_local/interrupt", { instance: "i-none" }, {}, 404, /There is no instance i-none; there is none/],
    ["an on-demand one", "/_local/interrupt", { instance: "i-demand" }, {}, 409, /on-demand/],
    ["one that has ended", "/_local/rebalance", { instance: "i-over" }, {}, 409, /has ended/],
    ["a body of another shape", "/_local/interrupt", { node: "i-1" }, {}, 400, /instance/],
    ["a body that is no JSON", "/_local/interrupt", "{", {}, 400, /no JSON/],
    ["another path", "/_local/nothing", {}, {}, 404, /there is \/_local\/interrupt, \/_local\/rebalance/],
    ["another method", "/_local/interrupt", {}, { method: "GET" }, 405, /POST/],
    ["a web page's form", "/_local/interrupt", { instance: "i-1" }, { type: "text/plain" }, 415, /application\/json/],
  ])("refuse %s", (_what, path, body, change, status, message) => {
    const { ask, calls } = stage();
    expect(ask(path, body, change)).toMatchObject({ status, message: expect.stringMatching(message) });
    expect(calls).toEqual([]);
  });
});
