import { traitKey } from "./match.ts";
import type { Job, JobClass, JobNeed } from "./problem.ts";

/** Groups jobs with the same needs. Classes come in the order of their keys and names in their own, however the jobs were listed. */
export function classesOf(jobs: readonly Job[]): readonly JobClass[] {
  const classes = new Map<string, { need: JobNeed; names: string[] }>();
  for (const job of jobs) {
    const key = keyOf(job);
    const { name, ...need } = job;
    const known = classes.get(key);
    if (known) known.names.push(name);
    else classes.set(key, { need, names: [name] });
  }
  return [...classes.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, { need, names }]) => ({ ...need, names: names.sort() }));
}

/** Equal exactly for jobs with the same needs. */
export function keyOf({ size, gpu, nodes, priority, deadlineHours, data, ...conditions }: JobNeed): string {
  const plain = `${size.join("/")} ${gpu?.count ?? 0} ${nodes ?? 1} ${priority ?? 0} ${deadlineHours ?? ""}`;
  return `${plain} ${traitKey({ ...conditions, gpu })}${data ? ` ${dataKey(data)}` : ""}`;
}

/** Equal exactly for jobs that read the same. */
export const dataKey = (data: Readonly<Record<string, number>> = {}): string =>
  JSON.stringify(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)));
