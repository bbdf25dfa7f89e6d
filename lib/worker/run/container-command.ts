import type { Order } from "../../../events/node-call.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { whyNoContainerVariable } from "../../model/values/container-variable.ts";
import { whyNoImage } from "../../model/values/image-reference.ts";
import type { User } from "../program/user.ts";
import { aboutAttempt, liveOutput, placeVariable } from "./job-environment.ts";
import type { JobStart } from "./job-runtime.ts";

type RunOrder = Extract<Order, { kind: "run" }>;

/** The label by which a worker finds its containers after a restart. Its value is the folder of the worker that started them. */
export const folderLabel = "fleetwright.folder";

/** Returns a container's name. It is unique per attempt, because team names contain no dot and attempts are numbers. */
export const containerName = ({ team, job, attempt }: RunOrder): string => `fleetwright-${team}.${job}.${attempt}`;

const inside = { work: "/work", tmp: "/tmp", data: "/data" } as const;

export type ContainerSetting = {
  /** The worker's own folder. */
  readonly root: string;
  /** The path of the file with the `containerVariables`. */
  readonly envFile: string;
  readonly user: User;
};

/**
 * Returns the arguments of `docker run`. The reasons for some of them:
 * - The host's network, because a gang's members must reach each other on ports that they choose, at full speed. Also, the firewall rule
 *   that keeps the job's user from the metadata service matches a socket's user in the host's network and user namespace.
 * - The user, no capabilities and no new privileges, so that the program stays that user even if the image says otherwise.
 * - Shared memory of half the job's memory, which counts towards its limit, because Docker's 64 MiB break PyTorch's data loaders.
 * - No `--rm`, because the container is inspected after its end, and removed after that.
 * - No log driver, because output is read as it is written, and the driver would store it on the disk a second time.
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
    // Docker requires the quotes, because the value contains commas.
    ...(gpus.length > 0 ? ["--gpus", `"device=${gpus.join(",")}"`] : []),
    ...["--memory", `${memoryMiB}m`],
    ...["--memory-swap", `${memoryMiB}m`],
    ...["--cpus", String(Number(spec.vcpus.toFixed(maxDecimals)))],
    ...["--pids-limit", "16384"],
    ...["--shm-size", `${Math.ceil(memoryMiB / 2)}m`],
    // If memory is short, the kernel must kill a job rather than the worker.
    ...["--oom-score-adj", "300"],
    ...["--log-driver", "none"],
    ...["--workdir", inside.work],
    ...["--volume", `${folder.work}:${inside.work}`],
    ...["--volume", `${folder.tmp}:${inside.tmp}`],
    ...(data === undefined ? [] : ["--volume", `${data}:${inside.data}:ro`]),
    ...["--env-file", setting.envFile],
    // Docker takes the value from its client's environment, because the file cannot hold a value of several lines.
    ...["--env", manyLines],
    image,
    ...spec.command,
  ];
}

/** Docker counts billionths of a CPU and refuses a more precise number, such as a third. */
const maxDecimals = 9;

const manyLines = "FLEETWRIGHT_ARTIFACTS";

/** Returns the job's image. A valid name begins with a letter, a digit or a bracket, so Docker cannot mistake it for an option. */
function imageOf({ spec }: RunOrder): string {
  const image = spec.image ?? "";
  const why = whyNoImage(image);
  if (why !== undefined) throw new FleetError("image", why);
  return image;
}

/** A container's environment: a file of NAME=VALUE lines, and variables that Docker's client must have itself. */
export type ContainerVariables = { readonly file: string; readonly client: Readonly<Record<string, string>> };

/**
 * Returns the variables of a job in a container. PATH is not among them, so that the image's own applies. `--gpus` numbers the devices
 * from 0 inside the container, and neither the image nor the job may make NVIDIA's runtime add other devices. USER and LOGNAME are set
 * because the user has no entry in the image's list of users. Throws a FleetError if a value contains a line break, because Docker reads the
 * file line by line.
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
    const why = whyNoContainerVariable(name, value);
    if (why !== undefined) throw new FleetError("env", why);
  }
  const file = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
  return { file: file.join(""), client: { [manyLines]: artifacts } };
}
