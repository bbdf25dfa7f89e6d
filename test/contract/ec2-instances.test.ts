import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CreateFleetCommand, DescribeInstancesCommand, RunInstancesCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { describe, expect, it, vi } from "vitest";
import { aCloud, type Cloud, idsOf, isAlive, soon, spot, statesOf } from "./ec2-cloud.ts";

describe("instances of the local EC2", () => {
  it("an instance boots as its template says, works, and ends with everything that it runs", { timeout: 60_000 }, async () => {
    const cloud = await aCloud();
    const [id = ""] = idsOf(await cloud.ec2.send(new CreateFleetCommand(cloud.launch(spot(1)))));
    const instance = cloud.front.record.instances[0];
    const seenFile = join(instance?.folder ?? "", "seen.json");
    const seen = await vi.waitFor(async () => JSON.parse(await readFile(seenFile, "utf8")), soon);

    expect(cloud.bootCalls).toHaveLength(3);
    expect(cloud.bootCalls[2]).toMatchObject({ token: id, body: JSON.stringify({ protocol: 1, kind: "boot", pool: "it's" }) });
    expect(cloud.bootCalls[2]?.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=ASIA-role-of-nodes\/\d{8}\/us-east-1\/lambda\/aws4_request/,
    );
    expect(seen).toMatchObject({
      withoutToken: 401,
      instance: id,
      zone: instance?.zone,
      role: "role-of-nodes",
      credentials: { AccessKeyId: "ASIA-role-of-nodes", Token: id, Code: "Success" },
      spot: 404,
      identity: { instanceId: id, region: "us-east-1", instanceType: instance?.instanceType },
      tag: "l-1 <&>",
    });
    expect(Object.keys(seen.env).sort()).toEqual([
      "AWS_CONFIG_FILE",
      "AWS_EC2_METADATA_SERVICE_ENDPOINT",
      "AWS_ENDPOINT_URL",
      "AWS_REGION",
      "AWS_SHARED_CREDENTIALS_FILE",
      "FLEETWRIGHT_FOLDER",
      "FLEETWRIGHT_NODE_URL",
      "FLEETWRIGHT_POOL",
      "HOME",
      "PATH",
    ]);
    expect(instance?.workerPid).toBe(seen.pid);
    expect(isAlive(seen.child)).toBe(true);

    const ended = await cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    expect(ended.TerminatingInstances).toMatchObject([
      { InstanceId: id, CurrentState: { Name: "shutting-down", Code: 32 }, PreviousState: { Name: "running", Code: 16 } },
    ]);
    await vi.waitFor(() => expect(statesOf(cloud, id)).toEqual(["pending", "running", "shutting-down", "terminated"]), soon);
    expect([isAlive(seen.pid), isAlive(seen.child)]).toEqual([false, false]);
    expect(await readFile(join(instance?.folder ?? "", "worker.log"), "utf8")).toBe("the stand-in is up\n");
    await expect(readFile(seenFile)).rejects.toMatchObject({ code: "ENOENT" });
    expect(cloud.front.record.remaining()).toEqual([]);

    const again = await cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    expect(again.TerminatingInstances).toMatchObject([{ CurrentState: { Name: "terminated" }, PreviousState: { Name: "terminated" } }]);
    expect(statesOf(cloud, id)).toHaveLength(4);
  });

  it("an instance terminates after its worker exits successfully, restarts a worker that crashed, and lives on without one", {
    timeout: 60_000,
  }, async () => {
    const cloud = await aCloud({ restartMs: 20 });
    const [id = ""] = idsOf(await cloud.ec2.send(new CreateFleetCommand(cloud.launch())));
    const instance = cloud.front.record.instances[0];
    const pid = async (not?: number) =>
      vi.waitFor(() => {
        expect(instance?.workerPid).toBeDefined();
        expect(instance?.workerPid).not.toBe(not);
        return instance?.workerPid ?? 0;
      }, soon);
    const first = await pid();
    await cloud.front.record.pauseWorker(id);
    await cloud.front.record.crashWorker(id);
    expect(isAlive(await pid(first))).toBe(true);
    await writeFile(join(instance?.folder ?? "", "finish"), "");
    await vi.waitFor(() => expect(statesOf(cloud, id)).toEqual(["pending", "running", "shutting-down", "terminated"]), soon);
    expect(instance?.states.at(-1)?.because).toBe("its worker ended");

    const [other = ""] = idsOf(await cloud.ec2.send(new CreateFleetCommand(cloud.launch())));
    await vi.waitFor(() => expect(cloud.front.record.instances[1]?.workerPid).toBeDefined(), soon);
    await cloud.front.record.killWorker(other);
    await vi.waitFor(() => expect(cloud.front.record.instances[1]?.workerPid).toBeUndefined(), soon);
    expect(statesOf(cloud, other)).toEqual(["pending", "running"]);
    await cloud.front.record.endInstance(other, "vanish");
    expect(statesOf(cloud, other)).toEqual(["pending", "running"]);
    await expect(cloud.ec2.send(new DescribeInstancesCommand({ InstanceIds: [other] }))).rejects.toMatchObject({
      name: "InvalidInstanceID.NotFound",
    });
    await expect(cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [other] }))).rejects.toMatchObject({
      name: "InvalidInstanceID.NotFound",
    });
  });

  const named = async (cloud: Cloud, id: string, ...states: string[]) => {
    const Filters = [
      { Name: "instance-state-name", Values: states },
      { Name: "tag:fleetwright:launch", Values: ["l-1*"] },
    ];
    const { Reservations = [] } = await cloud.ec2.send(new DescribeInstancesCommand({ Filters }));
    return Reservations.flatMap((one) => one.Instances ?? []).find((one) => one.InstanceId === id)?.State?.Name;
  };

  it("an instance is invisible for a while after its launch", async () => {
    const cloud = await aCloud({ describeLagMs: { min: 60_000, max: 60_000 } });
    const [id = ""] = idsOf(await cloud.ec2.send(new CreateFleetCommand(cloud.launch())));
    const notFound = { name: "InvalidInstanceID.NotFound" };
    await expect(cloud.ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }))).rejects.toMatchObject(notFound);
    await expect(cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }))).rejects.toMatchObject(notFound);
    expect(await named(cloud, id, "pending", "running")).toBeUndefined();
    expect(cloud.front.record.remaining().map((one) => one.id)).toEqual([id]);
  });

  it("an instance is pending first, also for moto's filters", async () => {
    const cloud = await aCloud({ pendingMs: 60_000, describeLagMs: { min: 50, max: 50 } });
    const [id = ""] = idsOf(await cloud.ec2.send(new CreateFleetCommand(cloud.launch())));
    await vi.waitFor(async () => expect(await named(cloud, id, "pending")).toBe("pending"), soon);
    expect(await named(cloud, id, "running")).toBeUndefined();
    const other = await aCloud();
    const [second = ""] = idsOf(await other.ec2.send(new CreateFleetCommand(other.launch())));
    await vi.waitFor(async () => expect(await named(other, second, "running")).toBe("running"), soon);
  });

  it("an interrupted instance gets a warning, a notice in its metadata, and an end with its reason", { timeout: 60_000 }, async () => {
    const workerScript = `
import { writeFileSync } from "node:fs";
const imds = process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT;
const token = await (await fetch(imds + "/latest/api/token", { method: "PUT", headers: { "x-aws-ec2-metadata-token-ttl-seconds": "60" } })).text();
const read = async (path) => { const r = await fetch(imds + "/latest/meta-data/" + path, { headers: { "x-aws-ec2-metadata-token": token } }); return r.ok ? r.json() : r.status; };
const before = [await read("spot/instance-action"), await read("events/recommendations/rebalance")];
setInterval(async () => {
  const seen = [await read("spot/instance-action"), await read("events/recommendations/rebalance")];
  writeFileSync("seen.json.part", JSON.stringify({ before, seen }));
  (await import("node:fs")).renameSync("seen.json.part", "seen.json");
}, 20);`;
    const cloud = await aCloud({ interruptionNoticeMs: 3_600_000 }, workerScript);
    const { record } = cloud.front;
    const [id = ""] = idsOf(await cloud.ec2.send(new CreateFleetCommand(cloud.launch(spot(1)))));
    const file = join(record.instances[0]?.folder ?? "", "seen.json");
    const seen = async () => JSON.parse(await readFile(file, "utf8"));
    await vi.waitFor(async () => expect(await seen()).toEqual({ before: [404, 404], seen: [404, 404] }), soon);

    record.recommendRebalance(id);
    record.recommendRebalance(id);
    await vi.waitFor(
      async () => expect(await seen()).toMatchObject({ seen: [404, { noticeTime: expect.stringMatching(/^20.*Z$/) }] }),
      soon,
    );
    const endsAtMs = record.interrupt(id);
    expect(endsAtMs).toBeGreaterThan(Date.now() + 3_500_000);
    expect(record.interrupt(id, { noticeMs: 1 })).toBe(endsAtMs);
    const time = `${new Date(endsAtMs).toISOString().slice(0, 19)}Z`;
    await vi.waitFor(async () => expect(await seen()).toMatchObject({ seen: [{ action: "terminate", time }, {}] }), soon);
    const warnings = ["EC2 Instance Rebalance Recommendation", "EC2 Spot Instance Interruption Warning"];
    await vi.waitFor(() => expect(statesOf(cloud, id)).toEqual(["pending", "running", ...warnings]), soon);
    const { Reservations: before } = await cloud.ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
    expect(before?.[0]?.Instances?.[0]).toMatchObject({ State: { Name: "running" } });

    const [other = ""] = idsOf(await cloud.ec2.send(new CreateFleetCommand(cloud.launch(spot(1)))));
    record.interrupt(other, { noticeMs: 30 });
    await vi.waitFor(() => expect(statesOf(cloud, other).slice(-2)).toEqual(["shutting-down", "terminated"]), soon);
    expect(statesOf(cloud, other).filter((one) => one === warnings[1])).toHaveLength(1);
    const { Reservations } = await cloud.ec2.send(new DescribeInstancesCommand({ InstanceIds: [other] }));
    expect(Reservations?.[0]?.Instances?.[0]).toMatchObject({
      State: { Name: "terminated" },
      StateReason: { Code: "Server.SpotInstanceTermination" },
    });
    expect(() => record.interrupt(other)).toThrow(expect.objectContaining({ code: "not-running" }));
  });

  it("an on-demand or unknown instance cannot be interrupted", async () => {
    const cloud = await aCloud();
    const [id = ""] = idsOf(await cloud.ec2.send(new CreateFleetCommand(cloud.launch())));
    for (const notify of [cloud.front.record.interrupt, cloud.front.record.recommendRebalance]) {
      expect(() => notify(id)).toThrow(expect.objectContaining({ code: "not-spot" }));
      expect(() => notify("i-0")).toThrow(expect.objectContaining({ code: "no-instance" }));
    }
    await vi.waitFor(() => expect(statesOf(cloud, id)).toEqual(["pending", "running"]), soon);
  });

  it("an instance that never ran ends in order, and RunInstances starts instances too", async () => {
    const cloud = await aCloud({ pendingMs: 60_000 });
    const run = { MinCount: 1, MaxCount: 1, InstanceType: "m7i.large" as const, ImageId: "ami-1", ClientToken: "by-hand" };
    const { Instances = [] } = await cloud.ec2.send(new RunInstancesCommand(run));
    const again = await cloud.ec2.send(new RunInstancesCommand(run));
    const id = Instances[0]?.InstanceId ?? "";
    expect(again.Instances?.[0]?.InstanceId).toBe(id);
    await cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await vi.waitFor(() => expect(statesOf(cloud, id)).toEqual(["pending", "shutting-down", "terminated"]), soon);
  });
});
