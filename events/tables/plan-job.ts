import * as z from "zod";
import { amount, flag, list, name } from "./cells.ts";

/** A row of jobs for `fleet plan` that all need the same. */
export type PlanJob = {
  readonly id: string;
  /** How many jobs like this there are. */
  readonly count: number;
  readonly vcpus: number;
  readonly memoryGiB: number;
  /** GPUs per node. Below 1, it is a share of one GPU. */
  readonly gpus: number;
  /** The least memory of each GPU, GiB; 0 for any. */
  readonly gpuMemoryGiB: number;
  /** Allowed models; empty for any. */
  readonly gpuModels: readonly string[];
  readonly spot: boolean;
  /** More than 1 for a gang. */
  readonly nodes: number;
  readonly priority: number;
  /** Hours within which it should begin; undefined for no deadline. */
  readonly deadlineHours?: number | undefined;
  /** How many GiB it reads of each dataset. */
  readonly datasets: Readonly<Record<string, number>>;
  /** The node that it already runs on; undefined if it waits. */
  readonly node?: string | undefined;
};

/** An id must not contain `#`, because the plan numbers the jobs of a row with it. */
const jobId = () => name().pipe(z.string().refine((text) => !text.includes("#"), "an id must not contain #"));
const share = () => amount({ most: 1 }).pipe(z.number().gt(0, "must be more than 0"));

/** The columns of a table of jobs for `fleet plan`. */
export const PlanJobColumns = z.strictObject({
  id: jobId().describe("the job's name"),
  vcpus: amount().describe("vCPUs that it needs on each node"),
  memoryGiB: amount().describe("memory that it needs on each node"),
  gpus: amount({ whole: true, most: 64 }).describe("whole GPUs that it needs on each node; 0 for none"),
  gpuFraction: share().optional().describe("instead of a whole GPU, a share of one, such as 0.5"),
  gpuMemoryGiB: amount().default(0).describe("least memory of each GPU (default: any)"),
  gpuModels: list().default([]).describe("allowed models, such as T4|A10G (default: any)"),
  spot: flag().default(true).describe("yes or no: whether it may run on spot capacity (default: yes)"),
  priority: amount({ least: -1000, most: 1000, whole: true }).default(0).describe("the higher, the sooner (default: 0)"),
  deadlineHours: amount().optional().describe("hours within which it should begin: among equal priorities the nearest goes first"),
  count: amount({ least: 1, most: 1e6, whole: true }).default(1).describe("how many jobs like this one there are (default: 1)"),
  nodes: amount({ least: 1, most: 1000, whole: true })
    .default(1)
    .describe("the nodes of a gang: equal nodes in one zone, all at once (default: 1)"),
  datasets: list().default([]).describe("the datasets that it reads and how much, such as images:120|words:3 (GiB)"),
  node: name().optional().describe("the id of the node that it already runs on; it stays there unless that node is emptied"),
});

export const PlanJobRow: z.ZodType<PlanJob> = PlanJobColumns.transform(({ gpuFraction, gpus, datasets, ...job }, context) => {
  const wrong = (field: string, message: string): void => context.addIssue({ code: "custom", path: [field], message });
  if (job.node !== undefined && job.nodes > 1) wrong("node", "a gang does not run on one node; leave running gangs out of the file");
  if (gpuFraction !== undefined && gpus > 1) wrong("gpuFraction", "a share is of one GPU, but gpus asks for more");
  const read = datasets.map((each): [string, number] => {
    const [name = "", giB = "", ...more] = each.split(":");
    const size = /^[\d.]+$/.test(giB) ? Number(giB) : Number.NaN;
    if (giB === "" || more.length > 0 || !(size >= 0)) wrong("datasets", `must be NAME:GIB, not ${JSON.stringify(each)}`);
    return [name, size];
  });
  return {
    ...job,
    gpus: gpuFraction === undefined || gpuFraction === 1 ? Math.max(gpus, gpuFraction ?? 0) : gpuFraction,
    datasets: Object.fromEntries(read),
  };
});

/** The columns of the pod lists of Alibaba's public GPU cluster trace ("openb", 2023). Units: thousandths of a CPU and of a GPU, MiB. */
export const OpenbPodColumns = z.strictObject({
  name: jobId(),
  cpu_milli: amount(),
  memory_mib: amount(),
  num_gpu: amount({ whole: true, most: 64 }),
  gpu_milli: amount({ most: 1000 }).default(1000),
  gpu_spec: list().default([]),
  qos: z.unknown().optional(),
  pod_phase: z.unknown().optional(),
  creation_time: z.unknown().optional(),
  deletion_time: z.unknown().optional(),
  scheduled_time: z.unknown().optional(),
});

/** A pod with one GPU and less than 1,000 thousandths of it needs a share. The pods' states and times are ignored. */
export const OpenbPodRow: z.ZodType<PlanJob> = OpenbPodColumns.transform((pod) => ({
  id: pod.name,
  count: 1,
  vcpus: pod.cpu_milli / 1000,
  memoryGiB: pod.memory_mib / 1024,
  gpus: pod.num_gpu === 1 && pod.gpu_milli > 0 ? pod.gpu_milli / 1000 : pod.num_gpu,
  gpuMemoryGiB: 0,
  gpuModels: pod.gpu_spec,
  spot: true,
  nodes: 1,
  priority: 0,
  datasets: {},
}));
