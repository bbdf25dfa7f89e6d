import { type BucketLimits, documentedLimits } from "../../lib/model/requests/request-limits.ts";
import type { Report, Row } from "./report.ts";
import { type Crowd, type Crowded, launchAll } from "./throttle/crowd.ts";

const jobs = 2_000;
/** The most nodes per launch, as in `lib/decide/placement/coalesce.ts`. It determines the fewest possible calls. */
const nodesPerCall = 40;
const tight: BucketLimits = { burst: 5, perSecond: 2 };
const { burst, perSecond } = documentedLimits.launch;

const cases: readonly (Omit<Crowd, "seed" | "jobs"> & { readonly name: string })[] = [
  { name: "1 pool, the limits are set as EC2 has them", pools: 1, ec2: tight, believed: tight },
  { name: "8 pools, the limits are set as EC2 has them", pools: 8, ec2: tight, believed: tight },
  { name: "1 pool, EC2 gives less than is documented", pools: 1, ec2: tight, believed: { burst, perSecond } },
  { name: "8 pools, EC2 gives less than is documented", pools: 8, ec2: tight, believed: { burst, perSecond } },
];

/**
 * Sends 2,000 jobs at once, each for a node of its own, to an EC2 that accepts 5 CreateFleet calls at once and 2 per second after that.
 * The real flows run on the ports in memory in virtual time. EC2 is a model with its own bucket. The rival is handlers that do not share
 * a budget and retry at random within a second, as SDKs do.
 */
export async function throttle({ seeds = 5 }: { readonly seeds?: number | undefined } = {}): Promise<Report> {
  const rows: Row[] = [];
  for (const { name, ...crowd } of cases) {
    const ours: Crowded[] = [];
    const apart: Crowded[] = [];
    for (let seed = 1; seed <= seeds; seed += 1) {
      ours.push(await launchAll({ ...crowd, jobs, seed }));
      apart.push(await launchAll({ ...crowd, believed: "none", jobs, seed }));
    }
    const calls = crowd.pools * Math.ceil(jobs / crowd.pools / nodesPerCall);
    const least = (calls - crowd.ec2.burst) / crowd.ec2.perSecond;
    const worst = (of: readonly Crowded[], figure: (one: Crowded) => number): number => Math.max(...of.map(figure));
    const row = (metric: string, unit: string, figure: (one: Crowded) => number, target?: number): Row => ({
      case: name,
      metric,
      unit,
      value: worst(ours, figure),
      rivals: { "each handler for itself": worst(apart, figure) },
      ...(target === undefined ? {} : { target }),
      better: "lower",
    });
    rows.push(
      { ...row("time to all launched ÷ the bucket's least, worst seed", "", ({ seconds }) => seconds / least, 1.2), limit: 1 },
      row("requests that EC2 refused, worst seed", "", ({ refused }) => refused),
      row("jobs that heard of it", "", ({ troubled }) => troubled, 0),
      row("instances too many or too few", "", ({ instances }) => Math.abs(instances - jobs), 0),
    );
  }
  return { bench: "throttle", seeds, rows };
}
