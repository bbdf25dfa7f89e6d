import type { Random } from "../../../lib/optimizer/engines/random.ts";
import type { FixedNode } from "../research/fixed/choose.ts";
import { gpuTotal, type Need } from "../research/fixed/needs.ts";
import type { Cluster } from "./data.ts";

/** The GPUs that arriving pods request, as a multiple of the cluster's GPUs. */
const inflation = 1.3;

/**
 * Returns the arrivals of one run, drawn as in the simulator of FGD's authors (hkust-adsl/kubernetes-scheduler-simulator,
 * `TunePodsByNodeTotalResource`): all pods in random order, then more of them, drawn with replacement, until they request 130 %
 * of the cluster's GPUs. If they request more than that, some are removed. The order of the nodes is random, too.
 */
export function arrivalsOf(
  { pods, nodes }: Cluster,
  random: Random,
): { readonly pods: readonly Need[]; readonly nodes: readonly FixedNode[] } {
  const wanted = inflation * gpusOf(nodes);
  const arriving = shuffled(pods, random);
  let total = arriving.reduce((sum, pod) => sum + gpuTotal(pod), 0);
  while (total > wanted) {
    const [gone] = arriving.splice(Math.floor(random() * arriving.length), 1);
    total -= gone ? gpuTotal(gone) : 0;
  }
  for (;;) {
    const more = pods[Math.floor(random() * pods.length)];
    if (!more || total + more.gpuMilli > wanted) return { pods: arriving, nodes: shuffled(nodes, random) };
    total += gpuTotal(more);
    arriving.push(more);
  }
}

/** Returns the GPUs of all nodes, in thousandths. */
export const gpusOf = (nodes: readonly FixedNode[]): number => nodes.reduce((sum, { gpus }) => sum + gpus.reduce((a, b) => a + b, 0), 0);

function shuffled<T>(all: readonly T[], random: Random): T[] {
  const order = [...all];
  for (let at = order.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [order[at], order[other]] = [order[other] as T, order[at] as T];
  }
  return order;
}
