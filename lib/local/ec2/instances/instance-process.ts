import { type ChildProcess, spawn } from "node:child_process";
import { type FileHandle, mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inWords } from "../../../model/errors/in-words.ts";
import type { Identities, IssuedCredentials } from "../../requests/identities.ts";
import type { Log } from "../../run/log-line.ts";
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

/** What every instance's machine needs of the world around it. */
export type MachineRoom = {
  readonly moto: Moto;
  readonly identities: Identities;
  readonly watchdog: Watchdog;
  /** The endpoint that workers use for AWS. */
  readonly endpoint: string;
  readonly behaviour: Pick<Ec2Behaviour, "bootTimeoutMs" | "restartMs">;
  roleOfProfile(profileNameOrArn: string): string;
  readonly log: Log;
};

/** The machine behind one instance: its metadata service, its folder and its worker's process. */
export type Machine = {
  readonly folder: string;
  pid(): number | undefined;
  /** Runs the boot script, then the worker. Answers when the machine is off, and why; undefined when it was ended from outside. */
  run(): Promise<string | undefined>;
  /** Ends everything that runs on it and clears its folder, all but the log. */
  end(graceMs: number): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Kills the worker and what it runs. `again`: it is started anew after a while; else the machine stays on and nothing runs on it. */
  kill(again: boolean): Promise<void>;
};

const logFile = "worker.log";

export function createMachine(room: MachineRoom, instance: InstanceFacts, own: { folder: string; notices(): InstanceNotices }): Machine {
  const { folder, notices } = own;
  const stop = new AbortController();
  let metadata: MetadataService | undefined;
  let worker: ChildProcess | undefined;
  let running: Promise<string | undefined> | undefined;
  let deserted = false;
  const tree = (): ProcessTree => ({ folder, group: worker?.pid });

  /** The worker's environment, when its program lies in the folder. */
  const boot = async (): Promise<Record<string, string> | "no script" | "shutdown"> => {
    const template = await templateOf(room.moto, instance);
    const exported = exportsOf(template.userData);
    const [nodeUrl, pool] = [exported.get("FLEETWRIGHT_NODE_URL"), exported.get("FLEETWRIGHT_POOL")];
    if (nodeUrl === undefined || pool === undefined) return "no script";
    const role = room.roleOfProfile(template.profile);
    const credentials = renewed(() => room.identities.issue({ role, session: instance.id }));
    metadata = await serveMetadata({ instance, role, credentials, notices });
    stop.signal.throwIfAborted();
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const region = exported.get("AWS_REGION") ?? instance.region;
    const script = { nodeUrl, pool, region, credentials, timeoutMs: room.behaviour.bootTimeoutMs };
    if ((await fetchWorker(script, join(folder, "worker.mjs"), stop.signal)) === "shutdown") return "shutdown";
    const bin = await installNvidiaSmi(room.moto, { region: instance.region, instanceType: instance.instanceType, folder });
    return environmentOf(room, { exported, region, folder, bin, metadataUrl: metadata.url });
  };

  /** Starts the worker again and again, as systemd would, until it ends well: that is how it shuts the instance down. */
  const work = async (environment: Record<string, string>): Promise<string | undefined> => {
    for (;;) {
      const log = await open(join(folder, logFile), "a", 0o600);
      let ended: Promise<string> | undefined;
      // From this look to the spawn there is no await: whoever ends the machine sees the worker.
      if (!stop.signal.aborted) {
        // Before anything runs in its folder, for this process may be killed at any moment; then with the worker's group.
        room.watchdog.watch({ folder, group: undefined });
        worker = start({ folder, environment, log });
        ended = exitOf(worker);
        room.watchdog.watch(tree());
      }
      await log.close();
      const end = await ended;
      if (stop.signal.aborted || deserted) return undefined;
      if (end === "exit code 0") return "its worker ended";
      room.log({ message: "A worker crashed and is started again", instance: instance.id, end });
      await endTree(tree(), 0);
      await sleep(room.behaviour.restartMs, undefined, { signal: stop.signal });
    }
  };

  const run = async (): Promise<string | undefined> => {
    const booted = await boot();
    if (booted === "shutdown") return "the boot script was told to shut down";
    if (booted !== "no script") return await work(booted);
    room.log({ message: "Nothing runs on this instance: its user data names no node URL and pool", instance: instance.id });
    return undefined;
  };

  return {
    folder,
    pid: () => (worker?.exitCode === null && worker.signalCode === null ? worker.pid : undefined),
    run() {
      running = run().catch((error: unknown) => {
        if (stop.signal.aborted) return undefined;
        room.log({ message: "An instance could not work", instance: instance.id, error });
        return `it could not work: ${inWords(error)}`;
      });
      return running;
    },
    async end(graceMs) {
      stop.abort();
      await endTree(tree(), graceMs);
      // Else a boot that is under way would write into the folder once more.
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

/** Credentials that are issued anew in the second half of their life, as the real metadata service does it. */
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

async function templateOf(moto: Moto, instance: InstanceFacts): Promise<{ userData: string; profile: string }> {
  if (instance.template === undefined) return { userData: "", profile: "" };
  const answer = await moto.ask(instance.region, {
    Action: "DescribeLaunchTemplateVersions",
    LaunchTemplateId: instance.template.id,
    "LaunchTemplateVersion.1": instance.template.version,
  });
  const data = items(answer, "launchTemplateVersionSet")[0]?.children.find((child) => child.name === "launchTemplateData");
  const profile = textAt(data, "iamInstanceProfile", "arn") ?? textAt(data, "iamInstanceProfile", "name") ?? "";
  return { userData: textAt(data, "userData") ?? "", profile };
}

type Setting = { exported: ReadonlyMap<string, string>; region: string; folder: string; bin: string | undefined; metadataUrl: string };

const environmentOf = (room: MachineRoom, setting: Setting): Record<string, string> => ({
  PATH: [...(setting.bin === undefined ? [] : [setting.bin]), process.env["PATH"] ?? ""].join(":"),
  // The machine's own home: version managers find their Pythons there.
  HOME: process.env["HOME"] ?? "",
  ...Object.fromEntries(setting.exported),
  AWS_REGION: setting.region,
  AWS_ENDPOINT_URL: room.endpoint,
  AWS_EC2_METADATA_SERVICE_ENDPOINT: setting.metadataUrl,
  // An instance has no credentials but its own, whoever's laptop this is.
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  AWS_CONFIG_FILE: "/dev/null",
  [folderVariable]: setting.folder,
});

/** The worker leads a process group of its own. */
const start = ({ folder, environment, log }: { folder: string; environment: Record<string, string>; log: FileHandle }): ChildProcess =>
  spawn(process.execPath, ["worker.mjs"], {
    cwd: folder,
    detached: true,
    env: environment,
    stdio: ["ignore", log.fd, log.fd],
  });

/** How it ended, or that it never began. */
const exitOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once("error", (error) => resolve(`could not be started: ${inWords(error)}`));
    child.once("exit", (code, signalName) => resolve(signalName ?? `exit code ${code}`));
  });

/** The disk goes with the instance; its log stays for whoever wants to know. */
async function clear(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const gone = names.filter((name) => name !== logFile);
  await Promise.all(gone.map((name) => rm(join(folder, name), { recursive: true, force: true, maxRetries: 3 })));
}
