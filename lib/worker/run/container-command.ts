import type { Order } from "../../../events/node-call.ts";
import { Fault } from "../../model/fault.ts";
import { whyNoImage } from "../../model/values/image-reference.ts";
import type { User } from "../program/program.ts";
import { aboutAttempt, liveOutput, placeVariable } from "./job-environment.ts";
import type { JobStart } from "./job-runtime.ts";

type RunOrder = Extract<Order, { kind: "run" }>;

/** Of a worker's containers, so that it finds them again: the folder of the worker that began them. */
export const folderLabel = "fleetwright.folder";

/** Team names hold no dot and attempts are numbers: no two attempts share a name. */
export const containerName = ({ team, job, attempt }: RunOrder): string => `fleetwright-${team}.${job}.${attempt}`;

const inside = { work: "/work", tmp: "/tmp", data: "/data" } as const;

export type ContainerSetting = {
  /** The worker's own folder. */
  readonly root: string;
  /** A file that holds `containerVariables`. */
  readonly envFile: string;
  readonly user: User;
};

/**
 * The arguments of `docker run`. Some of them, and why:
 * - host network: a gang's members reach each other on ports they choose, at full speed; and the firewall rule that keeps the
 *   job's user from the metadata service goes by the user of a socket, in the host's own network and user namespace.
 * - the user, all capabilities dropped, no new privileges: so it stays that user, whatever the image says.
 * - shared memory: half its memory and counted as such; Docker's 64 MiB break PyTorch's data loaders.
 * - not `--rm`: what became of it is asked for when it has ended, and then it is removed.
 * - no log driver: lines are read as they are written, and would fill the disk a second time.
 */
export function runArguments(job: JobStart, setting: ContainerSetting): readonly string[] {
  const { order, folder, gpus, data } = job;
  const { spec } = order;
  const image = imageOf(order);
  const memoryMiB = Math.ceil(spec.memoryGiB * 1024);
  return [
    "run",
    ...["--name", containerName(order)],
    ...["--label", `fleetwright.attempt=${order.team}/${order.job}/${order.attempt}`],
    ...["--label", `${folderLabel}=${setting.root}`],
    "--init",
    ...["--pull", "never"],
    ...["--stop-signal", "SIGTERM"],
    ...["--network", "host"],
    ...["--userns", "host"],
    ...["--user", `${setting.user.uid}:${setting.user.gid}`],
    ...["--cap-drop", "ALL"],
    ...["--security-opt", "no-new-privileges"],
    // The value is itself comma-separated: its quotes are Docker's.
    ...(gpus.length > 0 ? ["--gpus", `"device=${gpus.join(",")}"`] : []),
    ...["--memory", `${memoryMiB}m`],
    ...["--memory-swap", `${memoryMiB}m`],
    ...["--cpus", String(Number(spec.vcpus.toFixed(mostDecimals)))],
    ...["--pids-limit", "16384"],
    ...["--shm-size", `${Math.ceil(memoryMiB / 2)}m`],
    // When memory is short the system shall end a job, never the worker.
    ...["--oom-score-adj", "300"],
    ...["--log-driver", "none"],
    ...["--workdir", inside.work],
    ...["--volume", `${folder.work}:${inside.work}`],
    ...["--volume", `${folder.tmp}:${inside.tmp}`],
    ...(data === undefined ? [] : ["--volume", `${data}:${inside.data}:ro`]),
    ...["--env-file", setting.envFile],
    // Its lines would not fit into the file: the client is given the value.
    ...["--env", manyLines],
    image,
    ...spec.command,
  ];
}

/** Docker counts billionths of a CPU, and refuses a number that is more precise, such as a third. */
const mostDecimals = 9;

const manyLines = "FLEETWRIGHT_ARTIFACTS";

/** Every name of an image begins with a letter, a digit or a bracket, so that nothing is taken for an option. */
function imageOf({ spec }: RunOrder): string {
  const image = spec.image ?? "";
  const why = whyNoImage(image);
  if (why !== undefined) throw new Fault("image", why);
  return image;
}

/** What a container's environment is: a file of NAME=VALUE lines, and what the client itself must be given. */
export type ContainerVariables = { readonly file: string; readonly client: Readonly<Record<string, string>> };

/**
 * The variables of a job in a container. The image's own search path stays. `--gpus` numbers the devices from 0 inside, and
 * NVIDIA's runtime must not be talked into others by the image or the job. A user without an entry in the image's list of
 * users needs a name. Throws a Fault for a value that holds a line break: Docker reads it from a file, line by line.
 */
export function containerVariables({ order, folder, gpus, data }: JobStart): ContainerVariables {
  const { [manyLines]: artifacts = "", ...variables }: Record<string, string> = {
    HOME: inside.work,
    TMPDIR: inside.tmp,
    USER: "job",
    LOGNAME: "job",
    ...liveOutput,
    ...order.spec.env,
    ...aboutAttempt(order, data === undefined ? undefined : inside.data),
    [placeVariable]: folder.work,
    CUDA_DEVICE_ORDER: "PCI_BUS_ID",
    CUDA_VISIBLE_DEVICES: gpus.map((_, position) => position).join(","),
    NVIDIA_VISIBLE_DEVICES: gpus.length > 0 ? gpus.join(",") : "void",
  };
  for (const [name, value] of Object.entries(variables)) {
    if (/[\n\r\0]/.test(value)) throw new Fault("env", `the variable ${name} holds a line break, which a container's cannot`);
  }
  const file = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
  return { file: file.join(""), client: { [manyLines]: artifacts } };
}
