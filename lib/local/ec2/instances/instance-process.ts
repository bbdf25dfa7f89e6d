import { type ChildProcess, spawn } from "node:child_process";
import { type FileHandle, mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inWords } from "../../../model/errors/in-words.ts";
import type { Identities, IssuedCredentials } from "../../requests/identities.ts";
import type { LocalLog } from "../../run/log-line.ts";
import type { Ec2Behaviour } from "../behaviour/behaviour.ts";
import type { Moto } from "../moto/moto.ts";
import { items, textAt } from "../moto/xml-document.ts";
import { fetchWorker } from "./boot.ts";
import { type MetadataService, serveMetadata } from "./imds.ts";
import type { InstanceFacts, InstanceNotices } from "./instance.ts";
import { installNvidiaSmi } from "./nvidia-smi.ts";
import { endTree, folderVariable, type ProcessTree, signalTree } from "./process-tree.ts";
import { exportsOf } from "./user-data.ts";
import type { Watchdog } from "./watchdog.ts";

/** The dependencies that the machines of all instances share. */
export type MachineRoom = {
  readonly moto: Moto;
  readonly identities: Identities;
  readonly watchdog: Watchdog;
  /** The endpoint that workers use for AWS. */
  readonly endpoint: string;
  readonly behaviour: Pick<Ec2Behaviour, "bootTimeoutMs" | "restartMs">;
  roleOfProfile(profileNameOrArn: string): string;
  readonly log: LocalLog;
};

/** The machine behind one instance: its metadata service, its folder and its worker's process. */
export type InstanceMachine = {
  readonly folder: string;
  pid(): number | undefined;
  /** Runs the boot script, then the worker. Resolves with the reason to turn the machine off, or with undefined if there is none. */
  run(): Promise<string | undefined>;
  /** Ends everything that runs on it and clears its folder, except the log. */
  end(graceMs: number): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Kills the worker and its processes. `again`: the worker is restarted after a while. Otherwise the machine stays on, but idle. */
  kill(again: boolean): Promise<void>;
};

const logFile = "worker.log";

export function createMachine(
  room: MachineRoom,
  instance: InstanceFacts,
  own: { folder: string; notices(): InstanceNotices },
): InstanceMachine {
  const { folder, notices } = own;
  const stop = new AbortController();
  let metadata: MetadataService | undefined;
  let worker: ChildProcess | undefined;
  let running: Promise<string | undefined> | undefined;
  let deserted = false;
  const tree = (): ProcessTree => ({ folder, group: worker?.pid });

  /** Downloads the worker's program into the folder and returns the worker's environment. */
  const boot = async (): Promise<Record<string, string> | "no script" | "shutdown"> => {
    const template = await templateOf(room.moto, instance);
    const exported = exportsOf(template.userData);
    const [nodeUrl, pool] = [exported.get("FLEETWRIGHT_NODE_URL"), exported.get("FLEETWRIGHT_POOL")];
    if (nodeUrl === undefined || pool === undefined) return "no script";
    const role = room.roleOfProfile(template.profile);
    const credentials = renewed(() => room.identities.issue({ role, session: instance.id }));
    metadata = await serveMetadata({ instance, role, credentials, notices, showsTags: template.showsTags });
    stop.signal.throwIfAborted();
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const region = exported.get("AWS_REGION") ?? instance.region;
    const script = { nodeUrl, pool, region, credentials, timeoutMs: room.behaviour.bootTimeoutMs };
    if ((await fetchWorker(script, join(folder, "worker.mjs"), stop.signal)) === "shutdown") return "shutdown";
    const bin = await installNvidiaSmi(room.moto, { region: instance.region, instanceType: instance.instanceType, folder });
    return environmentOf(room, { exported, region, folder, bin, metadataUrl: metadata.url });
  };

  /** Restarts the worker after each crash, as systemd would. A worker shuts its instance down by exiting with code 0. */
  const work = async (environment: Record<string, string>): Promise<string | undefined> => {
    for (;;) {
      const log = await open(join(folder, logFile), "a", 0o600);
      let ended: Promise<string> | undefined;
      // There must be no await between this check and the spawn, so that `end` sees the worker.
      if (!stop.signal.aborted) {
        // Watched before anything runs in its folder, because this process may be killed at any moment, and again with the worker's group.
        room.watchdog.watch({ folder, group: undefined });
        worker = start({ folder, environment, log });
        ended = exitOf(worker);
        room.watchdog.watch(tree());
      }
      await log.close();
      const end = await ended;
      if (stop.signal.aborted || deserted) return undefined;
      if (end === "exit code 0") return "its worker ended";
      room.log({ message: "worker crashed and will be restarted", instance: instance.id, end });
      await endTree(tree(), 0);
      await sleep(room.behaviour.restartMs, undefined, { signal: stop.signal });
    }
  };

  const run = async (): Promise<string | undefined> => {
    const booted = await boot();
    if (booted === "shutdown") return "the node function ordered the boot script to shut down";
    if (booted !== "no script") return await work(booted);
    const because = "its user data has no node URL or no pool";
    room.log({ message: "instance runs nothing", instance: instance.id, because });
    return undefined;
  };

  return {
    folder,
    pid: () => (worker?.exitCode === null && worker.signalCode === null ? worker.pid : undefined),
    run() {
      running = run().catch((error: unknown) => {
        if (stop.signal.aborted) return undefined;
        room.log({ message: "worker not started", instance: instance.id, error });
        return `it could not start its worker: ${inWords(error)}`;
      });
      return running;
    },
    async end(graceMs) {
      stop.abort();
      await endTree(tree(), graceMs);
      // Otherwise a boot that is in progress would write into the folder again.
      await running;
      room.watchdog.forget(folder);
      await metadata?.close();
      await clear(folder);
    },
    pause: () => signalTree(tree(), "SIGSTOP"),
    resume: () => signalTree(tree(), "SIGCONT"),
    async kill(again) {
      deserted = !again;
      await signalTree(tree(), "SIGKILL");
    },
  };
}

/** Returns a source of credentials that are renewed in the second half of their life, as by the real metadata service. */
function renewed(issue: () => IssuedCredentials): () => IssuedCredentials {
  let current = issue();
  let issuedAtMs = Date.now();
  return () => {
    if (Date.now() > (issuedAtMs + current.expiresAtMs) / 2) {
      current = issue();
      issuedAtMs = Date.now();
    }
    return current;
  };
}

async function templateOf(
  moto: Moto,
  instance: InstanceFacts,
): Promise<{ readonly userData: string; readonly profile: string; readonly showsTags: boolean }> {
  if (instance.template === undefined) return { userData: "", profile: "", showsTags: false };
  const response = await moto.call(instance.region, {
    Action: "DescribeLaunchTemplateVersions",
    LaunchTemplateId: instance.template.id,
    "LaunchTemplateVersion.1": instance.template.version,
  });
  const data = items(response, "launchTemplateVersionSet")[0]?.children.find((child) => child.name === "launchTemplateData");
  const profile = textAt(data, "iamInstanceProfile", "arn") ?? textAt(data, "iamInstanceProfile", "name") ?? "";
  const showsTags = textAt(data, "metadataOptions", "instanceMetadataTags") === "enabled";
  return { userData: textAt(data, "userData") ?? "", profile, showsTags };
}

type Setting = { exported: ReadonlyMap<string, string>; region: string; folder: string; bin: string | undefined; metadataUrl: string };

const environmentOf = (room: MachineRoom, setting: Setting): Record<string, string> => ({
  PATH: [...(setting.bin === undefined ? [] : [setting.bin]), process.env["PATH"] ?? ""].join(":"),
  // This machine's home, because version managers find their Pythons there.
  HOME: process.env["HOME"] ?? "",
  ...Object.fromEntries(setting.exported),
  AWS_REGION: setting.region,
  AWS_ENDPOINT_URL: room.endpoint,
  AWS_EC2_METADATA_SERVICE_ENDPOINT: setting.metadataUrl,
  // An instance must use only its own credentials, not those of this machine's user.
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  AWS_CONFIG_FILE: "/dev/null",
  [folderVariable]: setting.folder,
});

/** Starts the worker as the leader of its own process group. */
const start = ({ folder, environment, log }: { folder: string; environment: Record<string, string>; log: FileHandle }): ChildProcess =>
  spawn(process.execPath, ["worker.mjs"], {
    cwd: folder,
    detached: true,
    env: environment,
    stdio: ["ignore", log.fd, log.fd],
  });

/** Resolves with how it ended, or why it could not be started. */
const exitOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once("error", (error) => resolve(`could not be started: ${inWords(error)}`));
    child.once("exit", (code, signalName) => resolve(signalName ?? `exit code ${code}`));
  });

/** Deletes the instance's files, as its disk is deleted on AWS, but keeps its log for diagnosis. */
async function clear(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const gone = names.filter((name) => name !== logFile);
  await Promise.all(gone.map((name) => rm(join(folder, name), { recursive: true, force: true, maxRetries: 3 })));
}
