import type { Job, JobClass, JobNeed } from "./problem.ts";

/** Groups jobs with the same needs. Classes come in the order of their keys and names in their own, however the jobs were listed. */
export function classesOf(jobs: readonly Job[]): readonly JobClass[] {
  const classes = new Map<string, { need: JobNeed; names: string[] }>();
  for (const job of jobs) {
    const key = keyOf(job);
    const known = classes.get(key);
    if (known) known.names.push(job.name);
    else classes.set(key, { need: job, names: [job.name] });
  }
  return [...classes.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { need, names }]) => ({
      size: need.size,
      gpu: need.gpu,
      spot: need.spot,
      nodes: need.nodes,
      priority: need.priority,
      deadlineHours: need.deadlineHours,
      data: need.data,
      names: names.sort(),
    }));
}

/** The same for jobs with the same needs, and for no others. */
export function keyOf({ size, gpu, spot, nodes, priority, deadlineHours, data }: JobNeed): string {
  const plain = `${size.join("/")} ${gpu?.count ?? 0} ${spot ? 1 : 0} ${nodes ?? 1} ${priority ?? 0} ${deadlineHours ?? ""}`;
  if (!gpu?.models?.length && !gpu?.memoryGiB && !data) return plain;
  const read = Object.entries(data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return `${plain} ${JSON.stringify([gpu?.memoryGiB ?? 0, gpu?.models?.toSorted() ?? [], read])}`;
}
