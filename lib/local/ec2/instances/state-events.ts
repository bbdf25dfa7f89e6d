import { setTimeout as sleep } from "node:timers/promises";
import type { LocalLog } from "../../run/log-line.ts";
import type { InstanceFacts, InstanceStateName } from "./instance.ts";

export type Ec2Event = {
  readonly source: string;
  readonly detailType: string;
  /** ARNs of the resources that it concerns. */
  readonly resources: readonly string[];
  readonly detail: object;
};
export type PutEvent = (event: Ec2Event) => Promise<void>;

/** News about an instance that EC2 publishes. */
export type InstanceChange =
  | { readonly kind: "state"; readonly state: InstanceStateName }
  | { readonly kind: "interruption" | "rebalance" };

/** The instance that the news concerns. */
type Named = Pick<InstanceFacts, "id" | "region" | "zone" | "accountId">;

/** Publishes what happens to instances on the event bus. The events of an instance keep their order. */
export type StateEvents = {
  emit(instance: Named, news: InstanceChange): void;
  /** Resolves when everything that was emitted so far is on the bus or was dropped after its last attempt. */
  settled(): Promise<void>;
};

const attempts = 4;

/** `delayMs`: how long the next event takes to arrive. */
export function createStateEvents(putEvent: PutEvent, log: LocalLog, delayMs: () => number = () => 0): StateEvents {
  const last = new Map<string, Promise<void>>();
  const put = async (instance: string, event: Ec2Event): Promise<void> => {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      try {
        return await putEvent(event);
      } catch (error) {
        log({ message: "instance event not put on the bus", instance, event, attempt, error });
        if (attempt < attempts) await sleep(100 * 2 ** attempt);
      }
    }
  };
  return {
    emit(instance, news) {
      const due = delayMs();
      const onItsWay = due > 0 ? sleep(due, undefined, { ref: false }) : undefined;
      const before = last.get(instance.id) ?? Promise.resolve();
      const chain = before.then(() => onItsWay).then(() => put(instance.id, eventOf(instance, news)));
      last.set(instance.id, chain);
      if (news.kind === "state" && news.state === "terminated") void chain.then(() => last.delete(instance.id));
    },
    settled: async () => void (await Promise.all(last.values())),
  };
}

/** Returns an event in EC2's shape. The ARN in a real interruption warning does contain a zone and no account. */
function eventOf({ id, region, zone, accountId }: Named, news: InstanceChange): Ec2Event {
  const resources = [`arn:aws:ec2:${region}:${accountId}:instance/${id}`];
  const of = (detailType: string, detail: object) => ({
    source: "aws.ec2",
    detailType,
    resources,
    detail: { "instance-id": id, ...detail },
  });
  switch (news.kind) {
    case "state":
      return of("EC2 Instance State-change Notification", { state: news.state });
    case "interruption":
      return {
        ...of("EC2 Spot Instance Interruption Warning", { "instance-action": "terminate" }),
        resources: [`arn:aws:ec2:${zone}:instance/${id}`],
      };
    case "rebalance":
      return of("EC2 Instance Rebalance Recommendation", {});
  }
}
