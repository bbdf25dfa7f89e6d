import { traitKey } from "./match.ts";
import type { JobClass, JobNeed, NamedJob } from "./problem.ts";

type Group = { readonly need: JobNeed; readonly names: string[] };
/** Jobs whose needs begin with the same values. Those with no further value are the group. */
type Branch = { group?: Group; branches?: Map<string | number, Branch> };

/**
 * Groups jobs with the same needs. Classes are sorted by key and the names in them by name, so the order of the jobs does not matter.
 * A tree finds the group of a job, because it takes half as long as formatting the numbers of every job into a key.
 */
export function classesOf(jobs: readonly NamedJob[]): readonly JobClass[] {
  const root: Branch = {};
  const groups: Group[] = [];
  for (const job of jobs) {
    const branch = branchOf(root, job);
    if (branch.group) {
      branch.group.names.push(job.name);
      continue;
    }
    const { name, ...need } = job;
    branch.group = { need, names: [name] };
    groups.push(branch.group);
  }
  return groups
    .map(({ need, names }) => ({ key: keyOf(need), need, names }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ need, names }) => ({ ...need, names: names.sort() }));
}

function branchOf(root: Branch, job: JobNeed): Branch {
  let branch = root;
  for (const value of [...otherNeeds(job), ...job.size]) {
    branch.branches ??= new Map();
    let next = branch.branches.get(value);
    if (!next) {
      next = {};
      branch.branches.set(value, next);
    }
    branch = next;
  }
  return branch;
}

/** Returns a key that two jobs share if and only if their needs are the same. */
export const keyOf = (job: JobNeed): string => `${job.size.join("/")} ${otherNeeds(job).join(" ")}`;

/** Returns values that two jobs share if and only if all their needs but the sizes are the same. */
const otherNeeds = (job: JobNeed): readonly (string | number)[] => [
  job.gpu?.count ?? 0,
  job.nodes ?? 1,
  job.priority ?? 0,
  job.deadlineHours ?? "",
  job.data ? `${traitKey(job)} ${dataKey(job.data)}` : traitKey(job),
];

/** Returns a key that two jobs share if and only if they read the same data. */
export const dataKey = (data: Readonly<Record<string, number>> = {}): string =>
  JSON.stringify(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)));
