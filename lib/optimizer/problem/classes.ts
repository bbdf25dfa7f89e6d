import { traitKey } from "./match.ts";
import type { JobClass, JobNeed, NamedJob } from "./problem.ts";

/** Groups jobs with the same needs. Classes are sorted by key and the names in them by name, so the order of the jobs does not matter. */
export function classesOf(jobs: readonly NamedJob[]): readonly JobClass[] {
  const classes = new Map<string, { need: JobNeed; names: string[] }>();
  for (const job of jobs) {
    const key = keyOf(job);
    const known = classes.get(key);
    if (known) {
      known.names.push(job.name);
      continue;
    }
    const { name, ...need } = job;
    classes.set(key, { need, names: [name] });
  }
  return [...classes.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { need, names }]) => ({ ...need, names: names.sort() }));
}

/** Returns a key that two jobs share if and only if their needs are the same. */
export function keyOf(job: JobNeed): string {
  const { size, gpu, nodes, priority, deadlineHours, data } = job;
  const plain = `${size.join("/")} ${gpu?.count ?? 0} ${nodes ?? 1} ${priority ?? 0} ${deadlineHours ?? ""}`;
  return `${plain} ${traitKey(job)}${data ? ` ${dataKey(data)}` : ""}`;
}

/** Returns a key that two jobs share if and only if they read the same data. */
export const dataKey = (data: Readonly<Record<string, number>> = {}): string =>
  JSON.stringify(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)));
