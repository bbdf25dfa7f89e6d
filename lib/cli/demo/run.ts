import { setTimeout as pause } from "node:timers/promises";
import type { LocalCloud } from "../../local/cloud.ts";
import { isEnded, type Job, jobName } from "../../model/job.ts";
import type { Connection } from "../session/connection.ts";
import { uploadedSource } from "../session/stores.ts";
import { createAlarmWatch } from "./alarm-watch.ts";
import { withSampleCode } from "./code.ts";
import { firstFiles, laterFile } from "./dataset.ts";
import { firstTick } from "./first-tick.ts";
import { createHappenings } from "./happenings.ts";
import { dataName, dataTeam, type Sample, samples } from "./samples.ts";
import { eventToLaunch, gangsOf, isWhole, jobRows, percentile, type Summary } from "./summary.ts";
import { jobOf, type SentSample, verify } from "./verify.ts";
import { watch } from "./watch.ts";

export type Stage = {
  readonly cloud: LocalCloud;
  readonly connection: Connection;
  readonly print: (line: string) => void;
  readonly stop: AbortSignal;
};

/** Sends every sample, triggers its event, and counts the outcomes. */
export async function run(stage: Stage): Promise<Summary> {
  const { cloud, connection, print, stop } = stage;
  print(`the local cloud is running at ${cloud.endpoint}`);
  await Promise.all([firstTick(cloud), addDataset(stage)]);
  const alarms = createAlarmWatch(stage);
  const { first, later } = await messages(stage);
  const sent = await send(stage, first);
  const happenings = createHappenings({ cloud, api: connection.api, print });
  const growing = createGrowth(stage, { readers: sent.filter(({ sample }) => sample.reads), later });

  const watched = await watch({
    jobs: [...sent, ...growing.sent].map(({ ref }) => ref),
    reader: connection.jobs,
    signal: stop,
    onJob: (job) => {
      print(news(job));
      const of = sent.find(({ ref }) => jobName(ref) === jobName(job));
      if (of) happenings.onUpdate(job, of.sample);
      growing.onUpdate(job);
    },
  });
  await Promise.all([happenings.settled(), growing.settled()]);
  const all = [...sent, ...growing.sent];
  const verified = await verify({ artifacts: connection.artifacts, print }, { sent: all, watched });
  await scaledToZero(stage);
  const data = await connection.api.dataset({ team: dataTeam, dataset: dataName });
  const { fired, handled } = await alarms.end();

  const asExpected = (of: SentSample): boolean => jobOf(watched, of.ref)?.state === of.sample.ends;
  const interrupted = all.filter(({ ref }) => happenings.interrupted.has(jobName(ref)));
  const readers = all.filter(({ sample }) => sample.reads);
  const times = eventToLaunch(watched, cloud.ec2.record.fleetCalls);
  const sealed = watched.reduce((count, { job }) => count + (job.artifacts?.files ?? 0), 0);
  const files = (of: readonly SentSample[]): number => of.reduce((count, { sample }) => count + (sample.reads ?? 0), 0);
  const counted = {
    jobs: jobRows(watched),
    eventToLaunchMs: { p50: percentile(times, 50), p99: percentile(times, 99) },
    instances: { launched: cloud.ec2.record.instances.length, remaining: cloud.ec2.record.remaining().length },
    artifacts: { sealed, verified: verified.files },
    interruptions: {
      noticed: interrupted.length,
      resumed: interrupted.filter((of) => asExpected(of) && (jobOf(watched, of.ref)?.attempt ?? 1) > 1).length,
      lost: interrupted.filter((of) => !asExpected(of)).length,
    },
    alarms: { fired, handled },
    datasets: {
      shards: data.listing?.shards ?? 0,
      fetched: files(readers.filter(({ ref }) => jobOf(watched, ref)?.startedAtMs !== undefined)),
      verified: files(readers.filter(({ sample }) => verified.jobs.has(sample))),
      mapVersion: data.map?.version ?? 0,
    },
    gangs: gangsOf(watched),
  };
  return { ...counted, ok: all.every(asExpected) && isWhole(counted) };
}

const dataset = { team: dataTeam, dataset: dataName };

/** Uploads the dataset's first files and adds the dataset. Resolves when its files are listed. */
async function addDataset(stage: Stage): Promise<void> {
  const { connection, print } = stage;
  const { files, deployment } = connection;
  const source = uploadedSource(deployment, dataset);
  await Promise.all(firstFiles.map((file) => files.put(dataset, file)));
  await connection.api.putDataset(dataset, { source, replace: false });
  print(`${dataTeam}/${dataName}  a dataset of ${firstFiles.length} files: ${source}`);
  await shardsAre(stage, firstFiles.length);
}

async function shardsAre({ connection, stop }: Stage, count: number): Promise<void> {
  while (!stop.aborted && (await connection.api.dataset(dataset)).listing?.shards !== count) await pause(200);
}

/** After all jobs that read the dataset have ended, adds another file, and sends one more job that reads it. */
function createGrowth(stage: Stage, on: { readonly readers: readonly SentSample[]; readonly later: Sample }) {
  const waiting = new Set(on.readers.map(({ ref }) => jobName(ref)));
  const ref = refOf(on.later, "");
  let grown: Promise<unknown> | undefined;
  const grow = async (): Promise<void> => {
    await stage.connection.files.put(dataset, laterFile);
    stage.print(`${dataTeam}/${dataName}  another file is added on S3: ${laterFile.path}`);
    await shardsAre(stage, firstFiles.length + 1);
    await send(stage, [on.later]);
  };
  return {
    sent: [{ sample: on.later, ref }] as readonly SentSample[],
    onUpdate(job: Job): void {
      if (isEnded(job.state)) waiting.delete(jobName(job));
      if (waiting.size === 0) grown ??= grow();
    },
    settled: async (): Promise<void> => void (await grown),
  };
}

async function messages({ connection }: Stage): Promise<{ readonly first: readonly Sample[]; readonly later: Sample }> {
  return samples((await withSampleCode((file) => connection.code.putCode({ team: dataTeam, file }))).code);
}

async function send({ connection, print }: Stage, all: readonly Sample[]): Promise<SentSample[]> {
  const sent: SentSample[] = [];
  for (const sample of all) {
    const { messageId } = await connection.queue.send(sample.team, sample.body);
    const ref = refOf(sample, messageId);
    print(`${jobName(ref)}  sent: ${sample.shows}`);
    sent.push({ sample, ref });
  }
  return sent;
}

/** Returns the job's name: the id in its message, or the id of the message. */
const refOf = ({ team, body }: Sample, messageId: string): SentSample["ref"] => ({
  team,
  job: /"id":"([^"]+)"/.exec(body)?.[1] ?? messageId,
});

async function scaledToZero({ cloud, print, stop }: Stage): Promise<void> {
  let last = -1;
  while (!stop.aborted) {
    const remaining = cloud.ec2.record.remaining().length;
    if (remaining !== last)
      print(remaining === 0 ? "no instance is left" : `${remaining} ${remaining === 1 ? "instance" : "instances"} left, idle`);
    if (remaining === 0) return;
    last = remaining;
    await pause(200);
  }
}

function news(job: Job): string {
  const nodes = job.gang && job.gang.length > 1 ? job.gang.join(" and ") : job.node;
  const where = nodes && job.state === "placed" ? ` on ${nodes}` : "";
  const why = job.reason && job.state !== "running" && job.state !== "placed" ? `: ${job.reason.split("\n")[0]}` : "";
  const attempt = job.attempt > 1 ? `, attempt ${job.attempt}` : "";
  return `${jobName(job)}  ${job.state}${where}${attempt}${why}`;
}
