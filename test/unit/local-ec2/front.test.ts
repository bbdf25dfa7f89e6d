import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, expect, test } from "vitest";
import type { Ec2Behaviour } from "../../../lib/local/ec2/behaviour/behaviour.ts";
import { createEc2Front } from "../../../lib/local/ec2/front.ts";
import { createIdentities } from "../../../lib/local/requests/identities.ts";
import { expectLine, type Logged } from "../../fakes/log-lines.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A machine that does other work, too, takes its time. */
const slow = { timeout: 15_000, interval: 5 };

type Form = Readonly<Record<string, string>>;
const launched = (id: string): string =>
  `<item><instanceId>${id}</instanceId><instanceType>g5.xlarge</instanceType><instanceLifecycle>spot</instanceLifecycle>` +
  "<placement><availabilityZone>us-east-1a</availabilityZone></placement></item>";

/** An EC2 before a moto that launches one instance per RunInstances. `status` decides the status of its responses. */
async function stage(behaviour: Partial<Ec2Behaviour> = {}) {
  const calls: Form[] = [];
  const moto = { status: 200 };
  const server = createServer((request, response) => {
    const respond = (body: string): void => {
      const { Version: _, ...form } = Object.fromEntries(new URLSearchParams(body));
      calls.push(form);
      const launches = calls.filter(({ Action }) => Action === "RunInstances").length;
      const instances = form["Action"] === "RunInstances" ? launched(`i-${launches}`) : "";
      response.writeHead(moto.status).end(`<R><instancesSet>${instances}</instancesSet></R>`);
    };
    text(request).then(respond, () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stateFolder = await mkdtemp(join(tmpdir(), "front-"));
  cleanups.push(() => rm(stateFolder, { recursive: true, force: true }));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const lines: Logged[] = [];
  const front = await createEc2Front({
    motoUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    identities: createIdentities(),
    putEvent: async () => undefined,
    endpoint: "http://127.0.0.1:9",
    stateFolder,
    roleOfProfile: (profile) => profile,
    log: (line) => {
      expectLine(line);
      lines.push(line);
    },
    behaviour: { pendingMs: 1, bootMs: { min: 3_600_000, max: 3_600_000 }, shutdownMs: 1, interruptionNoticeMs: 3_600_000, ...behaviour },
  });
  cleanups.push(() => front.close());
  const call = async (Action: string, form: Form = {}) => {
    const body = Buffer.from(new URLSearchParams({ Action, ...form }).toString());
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const { status, body: xml, cut = false } = await front.handle({ method: "POST", path: "/", headers, body });
    return { status, code: /<Code>(.*)<\/Code>/.exec(String(xml))?.[1], message: /<Message>(.*)<\/Message>/.exec(String(xml))?.[1], cut };
  };
  const remaining = () => front.record.remaining().map(({ id }) => id);
  return { front, record: front.record, calls, moto, lines, call, remaining };
}

test("an instance that is started by hand lives and takes room, and one that moto refuses does not exist", async () => {
  const { record, moto, call, remaining } = await stage();
  expect(await call("RunInstances")).toMatchObject({ status: 200 });
  expect(record.instances).toMatchObject([{ id: "i-1", market: "spot", zone: "us-east-1a" }]);
  await expect.poll(() => record.instances[0]?.states.at(-1)?.state, slow).toBe("running");
  // Only an instance that takes room is too many if there is no more room.
  record.limitCapacity("*/*/spot", 0);
  expect(record.instances[0]?.notices.endsAtMs).toBeGreaterThan(Date.now());
  moto.status = 400;
  expect(await call("RunInstances")).toMatchObject({ status: 400 });
  expect(remaining()).toEqual(["i-1"]);
});

test("instances that were launched by hand with the same token are one", async () => {
  const { call, remaining } = await stage();
  for (const ClientToken of ["a", "a", "b"]) await call("RunInstances", { ClientToken });
  expect(remaining()).toEqual(["i-1", "i-2"]);
});

test("an instance remains until it is terminated or vanishes", async () => {
  const { record, call, remaining, calls } = await stage();
  for (let n = 0; n < 3; n += 1) await call("RunInstances");
  await expect.poll(() => record.instances.every(({ states }) => states.at(-1)?.state === "running"), slow).toBe(true);
  await record.endInstance("i-1", "vanish");
  expect(remaining()).toEqual(["i-2", "i-3"]);
  await record.endInstance("i-2");
  expect(remaining()).toEqual(["i-3"]);
  expect(record.instances.slice(0, 2).map(({ states }) => states.at(-1)?.because)).toEqual(["vanished", "terminated as in the console"]);
  expect(calls.slice(-2)).toEqual(["i-1", "i-2"].map((id) => ({ Action: "TerminateInstances", "InstanceId.1": id })));
});

test("a protected instance is not terminated until its protection ends", async () => {
  const { call, moto } = await stage();
  await call("RunInstances");
  const protect = (value: string) => call("ModifyInstanceAttribute", { InstanceId: "i-1", "DisableApiTermination.Value": value });
  const terminate = () => call("TerminateInstances", { "InstanceId.1": "i-1" });
  await protect("true");
  expect(await terminate()).toMatchObject({ code: "OperationNotPermitted" });
  moto.status = 400;
  await protect("false");
  moto.status = 200;
  await call("ModifyInstanceAttribute", { InstanceId: "i-1", "EbsOptimized.Value": "false" });
  expect(await terminate()).toMatchObject({ code: "OperationNotPermitted" });
  await protect("false");
  expect(await terminate()).toMatchObject({ status: 200, code: undefined });
});

test("a dry run only asks moto", async () => {
  const { call, remaining, calls } = await stage();
  expect(await call("RunInstances", { DryRun: "true" })).toMatchObject({ status: 200 });
  expect([remaining(), calls]).toEqual([[], [{ Action: "RunInstances", DryRun: "true" }]]);
});

test("calls are throttled before they happen, and lose their responses afterwards, as often as was ordered", async () => {
  const { record, call, remaining } = await stage();
  record.throttleNext("RunInstances");
  record.loseNextResponse("RunInstances");
  record.loseNextResponse("RunInstances", 1, "cut");
  expect(await call("RunInstances")).toMatchObject({ status: 503, code: "RequestLimitExceeded", message: "Request limit exceeded." });
  expect(remaining()).toEqual([]);
  expect(await call("RunInstances")).toMatchObject({ status: 500, code: "InternalError", message: "An internal error has occurred" });
  expect(await call("RunInstances")).toMatchObject({ status: 200, cut: true });
  expect(await call("RunInstances")).toMatchObject({ status: 200, cut: false });
  expect(remaining()).toEqual(["i-1", "i-2", "i-3"]);
});

test("a response is as late as was ordered, once, and calls beyond their rate are refused", async () => {
  const { record, call } = await stage();
  record.delayNextResponse("DescribeVpcs", 60);
  const took = async (): Promise<number> => {
    const began = performance.now();
    await call("DescribeVpcs");
    return performance.now() - began;
  };
  expect(await took()).toBeGreaterThanOrEqual(59);
  record.limitRequests("DescribeVpcs", { burst: 1, perSecond: 0.001 });
  expect([await call("DescribeVpcs"), await call("DescribeVpcs")]).toMatchObject([{ status: 200 }, { code: "RequestLimitExceeded" }]);
  record.limitRequests("DescribeVpcs", undefined);
  expect(await call("DescribeVpcs")).toMatchObject({ status: 200 });
});

test("a call that fails inside is an internal error, and is logged", async () => {
  const { call, lines, moto } = await stage();
  moto.status = 400;
  expect(await call("CreateFleet", { Type: "instant" })).toMatchObject({ status: 400 });
  expect(lines).toEqual([]);
  await cleanups.splice(1, 1)[0]?.();
  expect(await call("DescribeVpcs")).toMatchObject({ status: 500, code: "InternalError" });
  expect(lines).toEqual([{ message: "EC2 call failed", action: "DescribeVpcs", error: expect.any(Error) }]);
});
