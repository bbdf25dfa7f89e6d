import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { fromInstanceMetadata } from "@aws-sdk/credential-providers";
import { archiveLimits } from "../model/files/archive-entry.ts";
import { FleetError } from "../model/fleet-error.ts";
import type { AttemptRef } from "../model/job.ts";
import { artifactLimits } from "./artifacts/artifact-limits.ts";
import { Agent } from "./attempt/agent.ts";
import { keyOf } from "./attempt/attempt.ts";
import { attemptsOn, keptAttempt } from "./attempt/attempt-run.ts";
import { islandTimeOnDisk, openIslandTime } from "./attempt/island-time.ts";
import { nodeClient, remembered } from "./attempt/node-client.ts";
import { NodeData } from "./data/datasets.ts";
import { ShardCache } from "./data/shard-cache.ts";
import { workerEnvironment } from "./environment.ts";
import { sampleGpus } from "./gpu/gpu-sampler.ts";
import { watchInstance } from "./instance/instance-watch.ts";
import { metadataAt } from "./instance/metadata.ts";
import { cloudWatchSink } from "./logs/log-sink.ts";
import { keptEndOf } from "./outbox/kept-end.ts";
import type { User } from "./program/user.ts";
import { openCgroups } from "./run/cgroup.ts";
import { removeLeftContainers } from "./run/containers.ts";
import { attemptsLeft, clearLeftovers, hasLeftContainers } from "./run/folders.ts";
import { systemClock as clock, sleep } from "./runtime/clock.ts";
import { jsonLog, type WorkerLog } from "./runtime/log.ts";
import { instanceS3, s3Client } from "./runtime/s3.ts";

// Folders must be readable for others, because jobs may run as another user.
process.umask(0o022);
const { nodeUrl: url, region, pool, folder, path, local, metadataUrl, ...settings } = workerEnvironment(process.env);
const log = jsonLog((line) => void process.stdout.write(line), clock.wallMs);
// The error is logged here because Node would print all its fields, and AWS's errors contain whole responses. systemd restarts the worker.
process.on("uncaughtException", (error: unknown) => {
  log("error", "worker crashed", {}, error);
  process.exit(1);
});
const random = Math.random;
const jobUser = settings.jobUser === undefined ? undefined : await findUser(settings.jobUser);
const cgroups = await openCgroups(log);
const s3 = s3Client.bind(undefined, { region, local });
const logSink = (of: { group: string; stream: string }, credentials: Parameters<typeof s3>[0]) =>
  cloudWatchSink(of, { region, credentials });
const limits = { archiveLimits, artifactLimits };
const cache = new ShardCache(folder);
const data = new NodeData(cache);
const instance = fromInstanceMetadata({ timeout: 2_000, maxRetries: 2 });
const identity = { pool, workerVersion: "0.1.0", process: randomUUID() };
const outboxes = { s3: instanceS3({ region, local }, instance), process: identity.process };
const machine = { outboxes, folder, path, jobUser, cgroups, data, clock, random, log, s3, logSink, ...limits };
const call = nodeClient({ url, region, credentials: remembered(instance, clock.wallMs) });
const ends = await Promise.all((await attemptsLeft(folder)).map((ref) => keptEndOf(folder, ref)));
const kept = ends.flatMap((end) => (end ? [keptAttempt(machine, end)] : []));
const { signal } = new AbortController();
const gpus = sampleGpus({ path, clock, log, signal });
const news = watchInstance({ metadata: metadataAt(metadataUrl), clock, log, signal, changed: () => agent.callSoon() });
const facts = () => {
  const { address, notice } = news();
  return { address, notice, gpus: gpus(), datasets: data.fetched() };
};
const endsAtMs = () => news().endsAtMs;
const islandTime = { from: await openIslandTime(folder, log), save: islandTimeOnDisk(folder, log) };
const leftovers = endLeftovers();
const start = attemptsOn(machine);
const agent = new Agent({ ...identity, call, facts, endsAtMs, start, clock, random, log, leftovers, kept, islandTime });
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => agent.terminate());
const end = await agent.run();
const ended = end.kind === "terminated" || settings.shutdownCommand === undefined || (await shutDown(settings.shutdownCommand, log));
process.exit(ended ? 0 : 1);

/** Ends what the last process of this worker ran. Returns the attempts that have no end, once nothing of them runs. */
async function endLeftovers(): Promise<readonly AttemptRef[]> {
  // Containers must be removed first, because they write into the folders.
  // If the engine does not do it, they may go on, so nothing of this node may be reported. The node ends then, because it is silent.
  while (!(await removeLeftContainers({ folder, path, log })) && (await hasLeftContainers(folder))) await sleep(clock, 5_000);
  const names = new Set(kept.map(({ ref }) => keyOf(ref)));
  const onWait = (processes: number): void => log("warn", "leftover processes do not end", { processes });
  const left = await clearLeftovers(folder, { isKept: async (ref) => names.has(keyOf(ref)), onWait });
  await cache.clearParts();
  const unfinished = left.filter((ref) => !names.has(keyOf(ref)));
  log("info", "worker starting", { pool, leftovers: unfinished.length, kept: kept.length });
  return unfinished;
}

/** Returns the ids of a user of this machine. Throws a FleetError if there is no user of that name. */
async function findUser(name: string): Promise<User> {
  try {
    const [uid, gid] = await Promise.all(
      ["-u", "-g"].map(async (flag) => Number((await promisify(execFile)("id", [flag, name], { timeout: 5_000 })).stdout)),
    );
    if (uid === undefined || gid === undefined || !Number.isInteger(uid) || !Number.isInteger(gid))
      throw new Error("id did not print a number");
    return { uid, gid };
  } catch (error) {
    throw new FleetError("job-user", `There is no user "${name}" to run jobs as`, { cause: error });
  }
}

/** Runs the command that ends the instance. Returns whether it succeeded. */
async function shutDown(command: string, log: WorkerLog): Promise<boolean> {
  try {
    await promisify(execFile)("/bin/sh", ["-c", command], { timeout: 60_000 });
    return true;
  } catch (error) {
    log("error", "instance not shut down", {}, error);
    return false;
  }
}
