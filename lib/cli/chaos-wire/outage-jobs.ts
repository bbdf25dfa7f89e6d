import { join } from "node:path";
import type { WireJob } from "./workload.ts";

/** What happens to a job in a run with an outage. */
export type Role =
  /** It runs before, during and after the outage. */
  | "goes on"
  /** Its program ends during the outage. */
  | "ends meanwhile"
  /** Its machine hangs during the outage, for good, and EC2 does not notice. */
  | "hangs"
  /** EC2 ends its instance during the outage. */
  | "ended by EC2"
  /** Its message is sent during the outage. */
  | "sent meanwhile";

/** A job of a run with an outage. Its program ends once the file `go` exists. */
export type OutageJob = WireJob & { readonly role: Role; readonly go: string };

const jobs: readonly { readonly name: string; readonly role: Role; readonly team: string; readonly more?: object }[] = [
  { name: "goes-on", role: "goes on", team: "research" },
  { name: "gang", role: "goes on", team: "research", more: { nodes: 2 } },
  { name: "ends-meanwhile", role: "ends meanwhile", team: "research" },
  { name: "hangs", role: "hangs", team: "vision" },
  // The last one before the outage, so that its worker is not silent for long when EC2's word about its instance arrives.
  { name: "ended-by-ec2", role: "ended by EC2", team: "vision" },
  { name: "sent-early", role: "sent meanwhile", team: "research" },
  { name: "sent-late", role: "sent meanwhile", team: "vision" },
];

/** Returns the jobs of a run. Each leaves an artifact, and notes its attempt twice a second while it runs. */
export const outageJobs = (seed: number, folder: string): readonly OutageJob[] =>
  jobs.map(({ name, role, team, more }) => {
    const job = `outage-${seed}-${name}`;
    const [trace, go] = [join(folder, `${job}.trace`), join(folder, `${job}.go`)];
    const script = `while :; do echo "$FLEETWRIGHT_ATTEMPT" >> "${trace}"; [ -e "${go}" ] && break; sleep 0.5; done; echo ${job} > out.txt`;
    const body = { id: job, command: ["sh", "-c", script], maxRuntimeSeconds: 1_200, spot: false, artifacts: ["out.txt"], ...more };
    return {
      ...{ team, job, role, trace, go, atMs: 0, againAtMs: [], ends: "succeeded" },
      body: JSON.stringify(body),
      leaves: { "out.txt": `${job}\n` },
    };
  });
