import { describe, expect, it } from "vitest";
import { createControls } from "../../../lib/local/controls.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";

function stage() {
  const calls: unknown[] = [];
  const refuse = (id: string): void => {
    if (id === "i-none") throw new FleetError("no-instance", `There is no instance ${id}`);
    if (id === "i-demand") throw new FleetError("not-spot", `${id} is an on-demand instance`);
    if (id === "i-over") throw new FleetError("not-running", `${id} has ended`);
  };
  const handle = createControls({
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
    refuse: (...args) => {
      calls.push(["refuse", ...args]);
      return () => void calls.push(["lift"]);
    },
    limitCapacity: (...args) => void calls.push(["capacity", ...args]),
    limitRequests: (...args) => void calls.push(["requests", ...args]),
    throttleNext: (...args) => void calls.push(["throttle", ...args]),
    loseNextResponse: (...args) => void calls.push(["lose", ...args]),
    delayNextResponse: (...args) => void calls.push(["delay", ...args]),
  });
  const send = (path: string, body: unknown, change: { method?: string; type?: string } = {}) => {
    const { method = "POST", type = "application/json; charset=utf-8" } = change;
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const { status, body: responseBody } = handle({ method, path, headers: { "content-type": type }, body: Buffer.from(text) });
    return { status, ...JSON.parse(String(responseBody)) };
  };
  return { send, calls };
}

describe("the local cloud's controls", () => {
  it("the controls interrupt an instance and warn an instance of an interruption", () => {
    const { send, calls } = stage();
    expect(send("/_local/interrupt", { instance: "i-1" })).toEqual({ status: 200, instance: "i-1", endsAt: "2026-01-01T00:00:00.000Z" });
    expect(send("/_local/interrupt", { instance: "i-1", noticeMs: 5 })).toMatchObject({ status: 200 });
    expect(send("/_local/rebalance", { instance: "i-1" })).toEqual({ status: 200, instance: "i-1" });
    expect(calls).toEqual([
      ["interrupt", "i-1", {}],
      ["interrupt", "i-1", { noticeMs: 5 }],
      ["rebalance", "i-1"],
    ]);
  });

  it("the controls make EC2 refuse offers, run out of capacity, throttle, and lose or delay responses", async () => {
    const { send, calls } = stage();
    expect(send("/_local/ec2/refuse", { offer: { zone: "us-east-1a" }, forMs: 0 })).toMatchObject({ code: "InsufficientInstanceCapacity" });
    await expect.poll(() => calls.at(-1)).toEqual(["lift"]);
    send("/_local/ec2/capacity", { offers: "*/*/spot", count: 2 });
    send("/_local/ec2/capacity", {
      offers: "*/*/spot",
      script: [
        [0, 2],
        [50, 0],
      ],
    });
    send("/_local/ec2/requests", { action: "CreateFleet", burst: 5, perSecond: 2 });
    send("/_local/ec2/requests", { action: "*" });
    send("/_local/ec2/throttle", { action: "CreateFleet" });
    send("/_local/ec2/lose", { action: "CreateFleet", times: 2, how: "cut" });
    send("/_local/ec2/delay", { action: "CreateFleet", ms: 500 });
    expect(calls).toEqual([
      ["refuse", { zone: "us-east-1a" }, "InsufficientInstanceCapacity"],
      ["lift"],
      ["capacity", "*/*/spot", 2],
      [
        "capacity",
        "*/*/spot",
        [
          [0, 2],
          [50, 0],
        ],
      ],
      ["requests", "CreateFleet", { burst: 5, perSecond: 2 }],
      ["requests", "*", undefined],
      ["throttle", "CreateFleet", 1],
      ["lose", "CreateFleet", 2, "cut"],
      ["delay", "CreateFleet", 500, 1],
    ]);
  });

  it("the controls accept the least and the most of each number", () => {
    const { send, calls } = stage();
    const action = "CreateFleet";
    for (const times of [1, 10_000]) send("/_local/ec2/throttle", { action, times });
    for (const ms of [0, 86_400_000]) send("/_local/ec2/delay", { action, ms });
    send("/_local/ec2/capacity", { offers: "*/*/spot", count: 0 });
    send("/_local/ec2/lose", { action });
    expect(send("/_local/ec2/refuse", { offer: {}, code: "X", forMs: 86_400_000 })).toEqual({
      status: 200,
      offer: {},
      code: "X",
      forMs: 86_400_000,
    });
    send("/_local/ec2/refuse", { offer: { instanceType: "t", zone: "z", market: "spot" }, forMs: 86_400_000 });
    expect(calls).toEqual([
      ["throttle", action, 1],
      ["throttle", action, 10_000],
      ["delay", action, 0, 1],
      ["delay", action, 86_400_000, 1],
      ["capacity", "*/*/spot", 0],
      ["lose", action, 1, "error"],
      ["refuse", {}, "X"],
      ["refuse", { instanceType: "t", zone: "z", market: "spot" }, "InsufficientInstanceCapacity"],
    ]);
  });

  it.each([
    ["an action with an invalid name", "/_local/ec2/throttle", { action: "create fleet" }, {}, 400, /must be an action/],
    ["no times", "/_local/ec2/throttle", { action: "CreateFleet", times: 0 }, {}, 400, /times/],
    ["too many times", "/_local/ec2/throttle", { action: "CreateFleet", times: 10_001 }, {}, 400, /times/],
    ["a delay of more than a day", "/_local/ec2/delay", { action: "CreateFleet", ms: 86_400_001 }, {}, 400, /ms/],
    ["a refusal of more than a day", "/_local/ec2/refuse", { offer: {}, forMs: 86_400_001 }, {}, 400, /forMs/],
    ["a refusal without a code", "/_local/ec2/refuse", { offer: {}, code: "", forMs: 1 }, {}, 400, /code/],
    ["a negative capacity", "/_local/ec2/capacity", { offers: "*/*/spot", count: -1 }, {}, 400, /.+/],
    ["an offer with an invalid name", "/_local/ec2/capacity", { offers: "g5", count: 1 }, {}, 400, /.+/],
    ["a refusal without an end", "/_local/ec2/refuse", { offer: {} }, {}, 400, /forMs/],
    ["an unknown instance", "/_local/interrupt", { instance: "i-none" }, {}, 404, /There is no instance i-none; the instances are: none/],
    ["an on-demand instance", "/_local/interrupt", { instance: "i-demand" }, {}, 409, /on-demand/],
    ["an instance that has ended", "/_local/rebalance", { instance: "i-over" }, {}, 409, /has ended/],
    ["a body with an unknown field", "/_local/interrupt", { node: "i-1" }, {}, 400, /instance/],
    ["a body that is not JSON", "/_local/interrupt", "{", {}, 400, /not JSON/],
    ["an unknown path", "/_local/nothing", {}, {}, 404, /the controls are: \/_local\/interrupt, \/_local\/rebalance/],
    ["another method", "/_local/interrupt", {}, { method: "GET" }, 405, /POST/],
    ["a web page's form", "/_local/interrupt", { instance: "i-1" }, { type: "text/plain" }, 415, /application\/json/],
  ])("the local cloud's controls refuse %s", (_what, path, body, change, status, message) => {
    const { send, calls } = stage();
    expect(send(path, body, change)).toMatchObject({ status, message: expect.stringMatching(message) });
    expect(calls).toEqual([]);
  });
});
