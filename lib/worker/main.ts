import { randomUUID } from "node:crypto";
import { fromInstanceMetadata } from "@aws-sdk/credential-providers";
import { Agent } from "./agent.ts";
import { archiveLimits } from "./archive.ts";
import { artifactLimits } from "./artifacts.ts";
import { attemptsOn } from "./attempt-run.ts";
import { openCgroups } from "./cgroup.ts";
import { systemClock as clock } from "./clock.ts";
import { workerEnvironment } from "./environment.ts";
import { clearLeftovers } from "./folders.ts";
import { findUser } from "./job-user.ts";
import { jsonLog } from "./log.ts";
import { cloudWatchSink } from "./log-sink.ts";
import { nodeClient, remembered } from "./node-client.ts";
import { s3Client } from "./s3.ts";
import { shutDown } from "./shutdown.ts";

// Jobs that run as another user must be able to reach their folders.
process.umask(0o022);
const { nodeUrl: url, region, pool, folder, path, local, ...settings } = workerEnvironment(process.env);
const log = jsonLog((line) => void process.stdout.write(line), clock.wallMs);
const random = Math.random;
const jobUser = settings.jobUser === undefined ? undefined : await findUser(settings.jobUser);
const cgroups = await openCgroups(log);
const s3 = s3Client.bind(undefined, { region, local });
const logSink = (of: { group: string; stream: string }, credentials: Parameters<typeof s3>[0]) =>
  cloudWatchSink(of, { region, credentials });
const limits = { archiveLimits, artifactLimits };
const start = attemptsOn({ folder, path, jobUser, cgroups, clock, random, log, s3, logSink, ...limits });
const credentials = remembered(fromInstanceMetadata({ timeout: 2_000, maxRetries: 2 }), clock.wallMs);
const call = nodeClient({ url, region, credentials });
const leftovers = await clearLeftovers(folder);
const agent = new Agent({ pool, workerVersion: "0.1.0", process: randomUUID(), call, start, clock, random, log, leftovers });
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => agent.terminate());
log("info", "the worker begins", { pool, leftovers: leftovers.length });
const end = await agent.run();
const ended = end.kind === "terminated" || settings.shutdownCommand === undefined || (await shutDown(settings.shutdownCommand, log));
process.exit(ended ? 0 : 1);
