import {
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  type DescribeInstancesCommandInput,
  type EC2Client,
  type Instance,
  type InstanceStatusSummary,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { inWords } from "../../model/errors/in-words.ts";
import type { FoundInstance } from "../../model/launch.ts";
import type { FoundInstances, InstanceStatus, TerminateOutcome } from "../../ports/fleet.ts";
import type { Log } from "../../ports/log.ts";
import { awsErrorCode, awsErrorKind, isDefinite } from "../errors.ts";

type Ec2 = Pick<EC2Client, "send">;
const noLog: Log = () => undefined;

/** Logs an error of a call about instances, except for unknown instances, which have ended, and for throttling, which is normal. */
function report(log: Log, message: string, { ids, error }: { ids: readonly string[]; error: unknown }): void {
  const kind = awsErrorKind(error);
  if (kind !== "gone" && kind !== "throttled") log({ level: "error", message, instances: ids, error });
}

/**
 * Calls TerminateInstances. The outcome of a call says little about each instance: an unknown one fails the whole call, and the error names
 * it. A protected one fails the call, too, but EC2 works per Availability Zone and has terminated the instances of other zones
 * (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html). So those of a call that failed must be asked for
 * again, which is harmless for those that end. After a call that succeeded, only those in the response count as accepted.
 */
export async function endInstances(ec2: Ec2, ids: readonly string[], log: Log = noLog): Promise<ReadonlyMap<string, TerminateOutcome>> {
  try {
    const { TerminatingInstances = [] } = await ec2.send(new TerminateInstancesCommand({ InstanceIds: [...ids] }));
    const ending = new Set(TerminatingInstances.map(({ InstanceId }) => InstanceId));
    return new Map(ids.map((id) => [id, ending.has(id) ? "accepted" : "unknown"]));
  } catch (error) {
    report(log, "terminating instances failed", { ids, error });
    const ended = ids.length === 1 ? endedAlone(error) : endedTogether(error, ids);
    return new Map(ids.map((id) => [id, ended(id)]));
  }
}

function endedAlone(error: unknown): (id: string) => TerminateOutcome {
  const kind = awsErrorKind(error);
  if (kind === "gone") return () => "accepted";
  if (kind === "throttled" || kind === "denied") return () => kind;
  return () => (isDefinite(error) ? { refused: `${awsErrorCode(error)}: ${inWords(error)}` } : "unknown");
}

function endedTogether(error: unknown, ids: readonly string[]): (id: string) => TerminateOutcome {
  const kind = awsErrorKind(error);
  if (kind === "throttled") return () => "throttled";
  const named = kind === "gone" ? namedIn(error, ids) : new Set();
  // An instance that may not be terminated or is protected keeps the others alive, so each must be tried separately.
  return (id) => (named.has(id) ? "accepted" : isDefinite(error) ? "apart" : "unknown");
}

/** Calls DescribeInstances with a filter, because a filter skips unknown instances and has a higher rate limit than ids. */
export async function lookAtInstances(ec2: Ec2, ids: readonly string[], log: Log = noLog): Promise<ReadonlyMap<string, InstanceStatus>> {
  const all = (seen: InstanceStatus): ReadonlyMap<string, InstanceStatus> => new Map(ids.map((id) => [id, seen]));
  try {
    const response = await ec2.send(new DescribeInstancesCommand({ Filters: [{ Name: "instance-id", Values: [...ids] }] }));
    const states = new Map(instancesIn(response).map((instance) => [instance.InstanceId, statusOf(instance)] as const));
    // An instance may be on another page, which has not been read.
    const absent = response.NextToken ? "unknown" : "absent";
    return new Map(ids.map((id) => [id, states.get(id) ?? absent]));
  } catch (error) {
    report(log, "describing instances failed", { ids, error });
    const kind = awsErrorKind(error);
    return all(kind === "throttled" || kind === "denied" ? kind : "unknown");
  }
}

/** Calls DescribeInstanceStatus, which knows running instances only, with a filter, because a filter skips unknown instances. */
export async function findImpaired(ec2: Ec2, ids: readonly string[], log: Log = noLog): Promise<ReadonlySet<string> | undefined> {
  try {
    const { InstanceStatuses = [] } = await ec2.send(
      new DescribeInstanceStatusCommand({ Filters: [{ Name: "instance-id", Values: [...ids] }] }),
    );
    const isImpaired = (status: InstanceStatusSummary | undefined): boolean => status?.Status === "impaired";
    const found = InstanceStatuses.filter(({ InstanceStatus, SystemStatus }) => isImpaired(InstanceStatus) || isImpaired(SystemStatus));
    return new Set(found.flatMap(({ InstanceId }) => InstanceId ?? []));
  } catch (error) {
    report(log, "describing the status of instances failed", { ids, error });
    return undefined;
  }
}

/** Returns the instances on all pages of DescribeInstances, or none if a page fails, because the wanted one may be on that page. */
export async function findInstances(ec2: Ec2, which: DescribeInstancesCommandInput): Promise<FoundInstances> {
  const found: FoundInstance[] = [];
  let page: string | undefined;
  try {
    do {
      const response = await ec2.send(new DescribeInstancesCommand(page === undefined ? which : { ...which, NextToken: page }));
      for (const instance of instancesIn(response)) {
        const { InstanceId: id, InstanceType: instanceType, Placement } = instance;
        const zone = Placement?.AvailabilityZone;
        if (!id || !instanceType || !zone) return { kind: "unknown", message: `EC2 does not describe instance ${id} completely yet` };
        found.push({ id, instanceType, zone, over: isOver(instance) });
      }
      page = response.NextToken;
    } while (page);
  } catch (error) {
    return { kind: "unknown", message: `${awsErrorCode(error)}: ${inWords(error)}`, error };
  }
  return { kind: "read", instances: found };
}

/** The states in which an instance does not run, or not for long. */
const ended: Readonly<Record<string, InstanceStatus>> = {
  stopping: "ending",
  "shutting-down": "ending",
  stopped: "stopped",
  terminated: "terminated",
};
const statusOf = ({ State }: Instance): InstanceStatus => ended[State?.Name ?? ""] ?? "live";

/** Reports whether an instance that a launch made will never become a node. */
export const isOver = (instance: Instance): boolean => instance.State?.Name === "shutting-down" || instance.State?.Name === "terminated";

const instancesIn = (response: {
  readonly Reservations?: readonly { readonly Instances?: readonly Instance[] | undefined }[] | undefined;
}) => (response.Reservations ?? []).flatMap((reservation) => reservation.Instances ?? []);

function namedIn(error: unknown, ids: readonly string[]): ReadonlySet<string> {
  const words = new Set(inWords(error).match(/i-[0-9a-f]+/g));
  return new Set(ids.filter((id) => words.has(id)));
}
