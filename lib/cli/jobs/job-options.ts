import { checked } from "../../../events/checked.ts";
import { JobMessage, maxJobBytes } from "../../../events/job.ts";
import { UsageError } from "../invocation/exit.ts";
import type { JobFile } from "./job-file.ts";

/** Options of a job on the command line. An option that is undefined gets the default of the job message. */
export type JobOptions = {
  readonly id?: string | undefined;
  readonly image?: string | undefined;
  readonly gpus?: number | undefined;
  readonly gpuModel?: readonly string[] | undefined;
  /** GiB */
  readonly gpuMemory?: number | undefined;
  readonly vcpus?: number | undefined;
  /** GiB */
  readonly memory?: number | undefined;
  readonly pool?: string | undefined;
  readonly priority?: number | undefined;
  /** Seconds */
  readonly maxRuntime?: number | undefined;
  readonly retries?: number | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly artifact?: readonly string[] | undefined;
  readonly spot: boolean;
  readonly nodes?: number | undefined;
  readonly zone?: readonly string[] | undefined;
  readonly dataset?: readonly { readonly name: string; readonly share: string }[] | undefined;
};

type Code = { readonly s3: string; readonly sha256: string };

/** Returns the job that a command and its options describe. Throws a UsageError that names the options that are invalid. */
export function jobOf(command: readonly string[], options: JobOptions, code?: Code): JobFile {
  const { gpus, gpuModel, gpuMemory } = options;
  const fields = {
    id: options.id,
    command,
    image: options.image,
    code,
    gpus:
      gpuModel === undefined && gpuMemory === undefined ? gpus : { count: gpus ?? 1, models: gpuModel ?? [], memoryGiB: gpuMemory ?? 0 },
    vcpus: options.vcpus,
    memoryGiB: options.memory,
    pool: options.pool,
    priority: options.priority,
    maxRuntimeSeconds: options.maxRuntime,
    retries: options.retries,
    env: options.env,
    artifacts: options.artifact,
    spot: options.spot ? undefined : false,
    nodes: options.nodes,
    datasets: options.dataset,
    zones: options.zone,
  };
  const body = JSON.stringify(fields);
  if (Buffer.byteLength(body) > maxJobBytes)
    throw new UsageError(
      `the job has ${Buffer.byteLength(body)} bytes, and at most ${maxJobBytes} are allowed; put long values into the folder`,
    );
  const message = checked(JobMessage, JSON.parse(body));
  if (message.kind === "good") return { body, message: message.value, at: "the job" };
  throw new UsageError(message.wrong.map((wrong) => `${optionOf(wrong.path)}: ${wrong.message}`).join("\n  "));
}

const optionNames: Readonly<Record<string, string>> = {
  command: "the command after --",
  "gpus.models": "--gpu-model",
  "gpus.memoryGiB": "--gpu-memory",
  memoryGiB: "--memory",
  maxRuntimeSeconds: "--max-runtime",
  artifacts: "--artifact",
  datasets: "--dataset",
  zones: "--zone",
};

/** Returns the option that sets a field of the message. */
function optionOf(path: readonly PropertyKey[]): string {
  const [field = "", part] = path.map(String);
  if (field === "env" && part !== undefined) return `--env ${part}`;
  return optionNames[`${field}.${part}`] ?? optionNames[field] ?? `--${field}`;
}
