import type { FreeNode, JobClass, Problem, Supply } from "../../../lib/optimizer/problem/problem.ts";
import type { Solution } from "../../../lib/optimizer/search/solution.ts";

/**
 * Returns what is wrong with a plan, one line each. It shares no code with the optimizer: it adds up the jobs of each bin, and finds an
 * arrangement of GPU shares by trying all of them.
 */
export function wrongsOf(problem: Problem, solution: Solution): string[] {
  const wrongs: string[] = [];
  const classOf = new Map(problem.jobs.flatMap((job) => job.names.map((name) => [name, job] as const)));
  const jobs = (names: readonly string[]): JobClass[] => names.flatMap((name) => classOf.get(name) ?? []);
  const nodesOf = new Map<string, string[]>();

  for (const { node, jobs: names } of solution.bindings) {
    const on = problem.nodes.find((each) => each.name === node);
    if (!on) wrongs.push(`there is no node ${node}`);
    else wrongs.push(...overfull(`node ${node}`, jobs(names), { room: on.room, gpus: on.gpusFree ?? [], on }));
    for (const name of names) nodesOf.set(name, [...(nodesOf.get(name) ?? []), node]);
  }
  for (const { offer, jobs: names, nodes } of solution.purchases) {
    const on = problem.offers.find((each) => each.name === offer.name);
    if (!on) {
      wrongs.push(`there is no offer ${offer.name}`);
      continue;
    }
    const gpus = Array.from({ length: on.gpu?.count ?? 0 }, () => 1);
    wrongs.push(...overfull(`a new ${offer.name}`, jobs(names), { room: on.capacity, gpus, on }));
    if (names.length === 0) wrongs.push(`a new ${offer.name} holds nothing`);
    for (const name of names)
      nodesOf.set(name, [...(nodesOf.get(name) ?? []), ...Array.from({ length: nodes }, () => `new ${offer.name}`)]);
    if (nodes > 1 && names.length !== 1) wrongs.push(`${nodes} new ${offer.name} hold ${names.length} gangs`);
  }
  const waiting = solution.waiting.flatMap((each) => each.jobs);
  for (const [name, job] of classOf) {
    const waits = waiting.filter((each) => each === name).length;
    const places = nodesOf.get(name)?.length ?? 0;
    if (waits > 1 || (waits === 1 ? places !== 0 : places !== (job.nodes ?? 1)))
      wrongs.push(`${name} has ${places} places and waits ${waits} times`);
    const kinds = new Set((nodesOf.get(name) ?? []).map((node) => kindOf(problem.nodes.find((each) => each.name === node)) ?? node));
    if (kinds.size > 1) wrongs.push(`gang ${name} is on ${[...kinds].join(" and ")}`);
    if (
      (job.nodes ?? 1) > 1 &&
      new Set(nodesOf.get(name)).size !== places &&
      problem.nodes.some((each) => nodesOf.get(name)?.includes(each.name))
    )
      wrongs.push(`gang ${name} is twice on one node`);
  }
  for (const name of [...nodesOf.keys(), ...waiting]) if (!classOf.has(name)) wrongs.push(`${name} is no job of the problem`);
  return [...wrongs, ...overdrawn(problem, solution)];
}

const kindOf = (node: FreeNode | undefined): string | undefined => node && `${node.type}/${node.zone}/${node.market}`;

function overfull(
  where: string,
  jobs: readonly JobClass[],
  of: { room: readonly number[]; gpus: readonly number[]; on: FreeNode | Supply },
): string[] {
  const wrongs: string[] = [];
  for (const [dimension, room] of of.room.entries()) {
    const used = jobs.reduce((sum, job) => sum + (job.size[dimension] ?? 0), 0);
    if (used > room + 1e-6) wrongs.push(`${where} has ${room} of dimension ${dimension} and ${used} is on it`);
  }
  const wanted = jobs.map((job) => job.gpu?.count ?? 0).filter((count) => count > 0);
  if (
    !fitOn(
      wanted.sort((a, b) => b - a),
      of.gpus,
    )
  )
    wrongs.push(`${where} has GPUs ${of.gpus.join()} and ${wanted.join()} is on it`);
  for (const job of jobs) {
    if (of.on.market === "spot" && !job.spot) wrongs.push(`${where} is spot, which ${job.names[0]} does not take`);
    if (!job.gpu || job.gpu.count === 0) continue;
    const { models = [], memoryGiB = 0 } = job.gpu;
    if ((of.on.gpu?.memoryGiB ?? 0) < memoryGiB) wrongs.push(`the GPUs of ${where} have too little memory for ${job.names[0]}`);
    if (models.length > 0 && !models.includes(of.on.gpu?.model.toLowerCase() ?? ""))
      wrongs.push(`${where} has no GPU that ${job.names[0]} takes`);
  }
  return wrongs;
}

/** Reports whether these needs fit on the GPUs, by trying every arrangement. */
export function fitOn([first, ...others]: readonly number[], free: readonly number[]): boolean {
  if (first === undefined) return true;
  if (first >= 1) {
    const whole = free.filter((left) => left >= 1 - 1e-6).length;
    if (whole < first) return false;
    let taken = 0;
    const rest = free.filter((left) => left < 1 - 1e-6 || ++taken > first);
    return fitOn(others, rest);
  }
  const tried = new Set<number>();
  return free.some((left, index) => {
    if (left < first - 1e-6 || tried.has(left)) return false;
    tried.add(left);
    return fitOn(
      others,
      free.map((each, at) => (at === index ? each - first : each)),
    );
  });
}

function overdrawn(problem: Problem, solution: Solution): string[] {
  const wrongs: string[] = [];
  for (const { name, most } of problem.limits ?? []) {
    const used = solution.purchases.reduce((sum, { offer, nodes }) => sum + nodes * (offer.uses?.[name] ?? 0), 0);
    if (used > most + 1e-6) wrongs.push(`limit ${name} is ${most} and ${used} is used`);
  }
  for (const offer of problem.offers) {
    const bought = solution.purchases.reduce((sum, each) => sum + (each.offer.name === offer.name ? each.nodes : 0), 0);
    if (bought > (offer.most ?? Number.POSITIVE_INFINITY)) wrongs.push(`there are ${offer.most} ${offer.name} and ${bought} are bought`);
  }
  const fleetUsd = solution.purchases.reduce((sum, { offer, nodes }) => sum + nodes * offer.usdPerHour, 0);
  if (Math.abs(fleetUsd - solution.cost.fleetUsd) > 1e-6 * (1 + fleetUsd))
    wrongs.push(`it costs ${fleetUsd} and not ${solution.cost.fleetUsd}`);
  return wrongs;
}
