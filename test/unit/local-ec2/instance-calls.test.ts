import { expect, test } from "vitest";
import { describeInstances, terminateInstances } from "../../../lib/local/ec2/calls/instances.ts";
import { type InstanceRecord, type InstanceStateName, spotTermination } from "../../../lib/local/ec2/instances/instance.ts";
import { find, items, readXml, textAt } from "../../../lib/local/ec2/moto/xml-document.ts";
import type { HttpCall } from "../../../lib/local/requests/http.ts";

const call = (form: Readonly<Record<string, string>>): HttpCall => ({
  method: "POST",
  path: "/",
  headers: { authorization: "AWS4", "content-type": "text/plain" },
  body: Buffer.from(new URLSearchParams(form).toString()),
});
const item = (inner: string): string => `<item>${inner}</item>`;
/** What moto returns about an instance: it runs. */
const runs = (id: string, more = ""): string =>
  item(`<instanceId>${id}</instanceId><instanceState><code>16</code><name>running</name></instanceState>${more}`);
const reservation = (id: string, ...instances: readonly string[]): string =>
  item(`<reservationId>${id}</reservationId><instancesSet>${instances.join("")}</instancesSet>`);
const described = (...reservations: readonly string[]): string =>
  `<DescribeInstancesResponse><requestId>r</requestId><reservationSet>${reservations.join("")}</reservationSet></DescribeInstancesResponse>`;

type Life = { readonly state: InstanceStateName; readonly because?: string; readonly zone?: string };

/** Moto with this response, and instances that are in these states. Those in `hidden` are not visible. */
function stage(response: { body: string; status?: number }, lives: Readonly<Record<string, Life>> = {}, hidden: readonly string[] = []) {
  const passed: HttpCall[] = [];
  const called: unknown[] = [];
  const ended: string[] = [];
  const stateOf = (id: string) => (ended.includes(id) ? "shutting-down" : lives[id]?.state);
  return {
    passed,
    called,
    ended,
    moto: {
      pass: async (given: HttpCall) => {
        passed.push(given);
        return { status: response.status ?? 200, headers: {}, body: Buffer.from(response.body) };
      },
      call: async (region: string, form: unknown) => {
        called.push([region, form]);
        return readXml("<r></r>");
      },
    },
    lifecycle: {
      get: (id: string): InstanceRecord | undefined => {
        const life = lives[id];
        if (!life) return undefined;
        const facts = {
          id,
          region: "eu-west-1",
          instanceType: "t",
          zone: life.zone ?? "eu-west-1a",
          market: "spot",
          imageId: "ami",
        } as const;
        const states = [
          { state: "pending", atMs: 0, because: "launched" },
          { state: life.state, atMs: 1, because: life.because ?? "launched" },
        ] as const;
        return { ...facts, privateIp: "", accountId: "", tags: {}, launchedAtMs: 0, states, folder: "", notices: {}, vanished: false };
      },
      isVisible: (id: string) => !hidden.includes(id),
      state: stateOf,
      shutDown: async (id: string, because: string) => {
        expect(because).toBe("TerminateInstances");
        ended.push(id);
      },
    },
  };
}

type Stage = ReturnType<typeof stage>;

async function describe({ moto, lifecycle }: Stage, form: Readonly<Record<string, string>> = {}) {
  const { body } = await describeInstances(moto, lifecycle, call({ Action: "DescribeInstances", ...form }));
  return items(readXml(String(body)), "reservationSet").map((each) => ({
    reservation: textAt(each, "reservationId"),
    instances: items(each, "instancesSet"),
  }));
}
const ids = (shown: Awaited<ReturnType<typeof describe>>) =>
  shown.map((each) => [each.reservation, ...each.instances.map((instance) => textAt(instance, "instanceId"))]);

test("an instance that is not visible yet is not shown, and neither is a reservation without any other", async () => {
  const body = described(reservation("r-1", runs("i-1"), runs("i-2")), reservation("r-2", runs("i-3")), reservation("r-3", runs("i-4")));
  expect(ids(await describe(stage({ body }, {}, ["i-2", "i-3"])))).toEqual([
    ["r-1", "i-1"],
    ["r-3", "i-4"],
  ]);
});

test("an instance is shown in its own state instead of moto's, and an interrupted one with its reason", async () => {
  const body = described(reservation("r-1", runs("i-1"), runs("i-2"), runs("i-3")));
  const lives = { "i-1": { state: "shutting-down" }, "i-2": { state: "terminated", because: spotTermination } } as const;
  const [shown] = await describe(stage({ body }, lives));
  expect(
    shown?.instances.map((each) => [
      ...["code", "name"].map((part) => textAt(each, "instanceState", part)),
      textAt(each, "stateReason", "code"),
      textAt(each, "stateReason", "message"),
      textAt(each, "reason"),
    ]),
  ).toEqual([
    ["32", "shutting-down", undefined, undefined, undefined],
    ["48", "terminated", spotTermination, `${spotTermination}: Spot instance termination`, spotTermination],
    ["16", "running", undefined, undefined, undefined],
  ]);
});

test("filters on states and on the life cycle are applied to what is shown, and all others are passed to moto", async () => {
  const spot = "<instanceLifecycle>spot</instanceLifecycle>";
  const body = described(reservation("r-1", runs("i-1", spot), runs("i-2", spot), runs("i-3")));
  const of = () => stage({ body }, { "i-2": { state: "shutting-down" } });
  const filter = (n: number, name: string, ...values: readonly string[]) => ({
    [`Filter.${n}.Name`]: name,
    ...Object.fromEntries(values.map((value, i) => [`Filter.${n}.Value.${i + 1}`, value])),
  });
  expect(ids(await describe(of(), filter(1, "instance-state-name", "pending", "run*")))).toEqual([["r-1", "i-1", "i-3"]]);
  expect(ids(await describe(of(), filter(1, "instance-state-code", "32")))).toEqual([["r-1", "i-2"]]);
  const both = of();
  const form = { ...filter(1, "tag:a", "b"), ...filter(2, "instance-lifecycle", "spot"), ...filter(3, "instance-state-name", "running") };
  expect(ids(await describe(both, form))).toEqual([["r-1", "i-1"]]);
  const [passed] = both.passed;
  expect(Object.fromEntries(new URLSearchParams(String(passed?.body)))).toEqual({
    Action: "DescribeInstances",
    ...filter(1, "tag:a", "b"),
  });
  expect(passed).toMatchObject({ method: "POST", path: "/", headers: { authorization: "AWS4" } });
  expect(passed?.headers["content-type"]).toBe("application/x-www-form-urlencoded; charset=utf-8");
});

test("a call that moto refuses returns moto's response", async () => {
  const refused = { body: "<Response></Response>", status: 400 };
  const { moto, lifecycle } = stage(refused);
  const response = { status: 400, headers: {}, body: Buffer.from(refused.body) };
  expect(await describeInstances(moto, lifecycle, call({ Action: "DescribeInstances" }))).toEqual(response);
  const terminating = stage(refused, { "i-1": { state: "running" } });
  expect(await terminateInstances({ ...terminating, isProtected: () => false }, call({ "InstanceId.1": "i-1" }))).toEqual(response);
  expect(terminating.ended).toEqual([]);
});

test("a call that names instances that are not visible is refused, and moto does not see it", async () => {
  const hidden = stage({ body: described() }, {}, ["i-2", "i-3", "x"]);
  const { moto, lifecycle, passed } = hidden;
  const describing = (form: Readonly<Record<string, string>>) => describeInstances(moto, lifecycle, call(form));
  await expect(describing({ "InstanceId.1": "i-1", "InstanceId.2": "i-2" })).rejects.toMatchObject({
    code: "InvalidInstanceID.NotFound",
    message: "The instance ID 'i-2' does not exist",
  });
  await expect(describing({ "InstanceId.1": "i-2", "InstanceId.2": "i-3" })).rejects.toThrow("The instance IDs 'i-2, i-3' do not exist");
  await expect(terminateInstances({ ...hidden, isProtected: () => false }, call({ "InstanceId.1": "i-2" }))).rejects.toThrow("'i-2'");
  expect(passed).toEqual([]);
  await describing({ "InstanceId.1": "i-1", "Filter.1.Value.1": "x" });
  expect(passed).toHaveLength(1);
});

test("terminated instances begin to end, and the response has their states before and after", async () => {
  const states = "<currentState><name>terminated</name></currentState><previousState><name>running</name></previousState>";
  const body = `<r><instancesSet>${["i-1", "i-2"].map((id) => item(`<instanceId>${id}</instanceId>${states}`)).join("")}</instancesSet></r>`;
  const terminating = stage({ body }, { "i-1": { state: "pending" } });
  const response = await terminateInstances(
    { ...terminating, isProtected: () => false },
    call({ Action: "TerminateInstances", "InstanceId.1": "i-1", "InstanceId.2": "i-2", "Other.1": "i-3" }),
  );
  expect(terminating.ended).toEqual(["i-1"]);
  const shown = items(readXml(String(response.body)), "instancesSet").map((each) =>
    ["previousState", "currentState"].map((name) => [textAt(find(each, name), "code"), textAt(find(each, name), "name")]),
  );
  expect(shown).toEqual([
    [
      ["0", "pending"],
      ["32", "shutting-down"],
    ],
    // Nothing is known about this one, so moto's states are shown.
    [
      [undefined, "running"],
      [undefined, "terminated"],
    ],
  ]);
});

test("a call that names a protected instance is refused, and only instances of other zones end", async () => {
  const zones = { "i-1": "eu-west-1a", "i-2": "eu-west-1b", "i-3": "eu-west-1a" };
  const lives = Object.fromEntries(Object.entries(zones).map(([id, zone]) => [id, { state: "running", zone } as const]));
  const terminating = stage({ body: "" }, lives);
  const form = Object.fromEntries(Object.keys(zones).map((id, i) => [`InstanceId.${i + 1}`, id]));
  await expect(terminateInstances({ ...terminating, isProtected: (id) => id === "i-3" }, call(form))).rejects.toMatchObject({
    code: "OperationNotPermitted",
    message: "The instance 'i-3' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.",
  });
  expect(terminating.ended).toEqual(["i-2"]);
  expect(terminating.called).toEqual([["eu-west-1", { Action: "TerminateInstances", "InstanceId.1": "i-2" }]]);
  expect(terminating.passed).toEqual([]);
});
