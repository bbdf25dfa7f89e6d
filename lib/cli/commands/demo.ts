import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { s3Client } from "../../aws/clients.ts";
import { s3CodeStore } from "../../aws/code.ts";
import type { LocalCloud } from "../../local/cloud.ts";
import type { Job } from "../../model/job.ts";
import { type Connection, connectLocal, localSettings, stateFolder } from "../connection.ts";
import type { Console } from "../console.ts";
import { type Sample, samples, withSampleCode } from "../demo/samples.ts";
import { eventToLaunch, jobRows, percentile, type Summary, summaryLines } from "../demo/summary.ts";
import { type Watched, watch } from "../demo/watch.ts";
import { duration } from "../duration.ts";
import { exitCodes } from "../exit.ts";
import { withLocalCloud } from "../local-session.ts";

/** The whole demonstration ends within this, well or not. */
const longestMs = 150_000;

/** Shows the whole product on this machine: jobs through SQS, nodes, artifacts, and the fleet back at zero. */
export async function demo(options: { json?: boolean | undefined }, console: Console): Promise<number> {
  const startedMs = Date.now();
  const tell = (line: string): void =>
    (options.json ? console.note : console.out)(`${duration(Date.now() - startedMs).padStart(9)}  ${line}`);
  const outcome = await withLocalCloud({ folder: stateFolder, log: tell }, async (cloud, { signal }) => {
    const stop = AbortSignal.any([signal, AbortSignal.timeout(longestMs)]);
    return run({ cloud, connection: await connectLocal(cloud.deployment.name, cloud.endpoint), tell, stop });
  });
  if (outcome === "interrupted") {
    console.note("interrupted; everything that was started has been ended");
    return exitCodes.interrupted;
  }
  if (options.json) console.out(JSON.stringify(outcome));
  else for (const line of ["", ...summaryLines(outcome), "", outcome.ok ? "All of it worked." : "Not all of it worked."]) console.out(line);
  return outcome.ok ? exitCodes.ok : exitCodes.failed;
}

type Stage = {
  readonly cloud: LocalCloud;
  readonly connection: Connection;
  readonly tell: (line: string) => void;
  readonly stop: AbortSignal;
};

async function run(stage: Stage): Promise<Summary> {
  const { cloud, connection, tell, stop } = stage;
  tell(`the local cloud runs at ${cloud.endpoint}`);
  // The schedule's first tick fetches prices; a job that nothing can hold is refused at once only when they are known.
  await cloud.invoke("tick", { tick: "minute" });
  const sent = await send(stage);
  const watched = await watch({ jobs: sent.map(({ ref }) => ref), reader: connection.jobs, tell: (job) => tell(news(job)), signal: stop });
  const verified = await verify(stage, { sent, watched });
  await scaledToZero(stage);
  const { fleetCalls, instances } = cloud.ec2.record;
  const times = eventToLaunch(watched, fleetCalls);
  const sealed = watched.reduce((count, { job }) => count + (job.artifacts?.length ?? 0), 0);
  const asExpected = sent.every(({ ref, sample }) =>
    watched.some(({ job }) => job.team === ref.team && job.job === ref.job && job.state === sample.ends),
  );
  const remaining = cloud.ec2.record.remaining().length;
  return {
    jobs: jobRows(watched),
    eventToLaunchMs: { p50: percentile(times, 50), p99: percentile(times, 99) },
    instances: { launched: instances.length, remaining },
    artifacts: { sealed, verified },
    ok: asExpected && remaining === 0 && sealed > 0 && verified === sealed,
  };
}

type Sent = { readonly sample: Sample; readonly ref: { readonly team: string; readonly job: string } };

async function send({ cloud, connection, tell }: Stage): Promise<Sent[]> {
  const store = s3CodeStore({ s3: s3Client(localSettings(cloud.endpoint)), codeBucket: connection.deployment.codeBucket });
  const code = await withSampleCode((file) => store.putCode({ team: "vision", file }));
  const sent: Sent[] = [];
  for (const sample of samples(code)) {
    const { messageId } = await connection.queue.send(sample.team, sample.body);
    const job = /"id":"([^"]+)"/.exec(sample.body)?.[1] ?? messageId;
    tell(`${sample.team}/${job}  sent: ${sample.shows}`);
    sent.push({ sample, ref: { team: sample.team, job } });
  }
  return sent;
}

/** Fetches and decrypts what jobs left and counts what equals, byte for byte, what they wrote. */
async function verify({ connection, tell }: Stage, of: { sent: readonly Sent[]; watched: readonly Watched[] }): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "fleetwright-artifacts-"));
  let verified = 0;
  try {
    for (const { sample, ref } of of.sent) {
      const job = of.watched.find((each) => each.job.team === ref.team && each.job.job === ref.job)?.job;
      for (const artifact of job?.artifacts ?? []) {
        const file = join(folder, ref.team, ref.job, artifact.path);
        await connection.artifacts.open({ ...ref, attempt: job?.attempt ?? 0 }, artifact, file);
        const equal = (await readFile(file)).equals(Buffer.from(sample.leaves?.[artifact.path] ?? "", "utf8"));
        tell(
          `${ref.team}/${ref.job}  ${artifact.path}: ${artifact.bytes} bytes unsealed, ${equal ? "equal to" : "NOT equal to"} what the job wrote`,
        );
        if (equal) verified += 1;
      }
    }
    return verified;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function scaledToZero({ cloud, tell, stop }: Stage): Promise<void> {
  let last = -1;
  while (!stop.aborted) {
    const remaining = cloud.ec2.record.remaining().length;
    if (remaining !== last)
      tell(remaining === 0 ? "no instance is left" : `${remaining} ${remaining === 1 ? "instance" : "instances"} left, idle`);
    if (remaining === 0) return;
    last = remaining;
    await pause(200);
  }
}

function news(job: Job): string {
  const where = job.node && job.state === "placed" ? ` on ${job.node}` : "";
  const why = job.reason && job.state !== "running" && job.state !== "placed" ? `: ${job.reason.split("\n")[0]}` : "";
  const attempt = job.attempt > 1 ? `, attempt ${job.attempt}` : "";
  return `${job.team}/${job.job}  ${job.state}${where}${attempt}${why}`;
}
