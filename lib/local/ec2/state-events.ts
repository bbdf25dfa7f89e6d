import { setTimeout as sleep } from "node:timers/promises";
import type { InstanceStateName } from "./instance.ts";

export type PutEvent = (event: { source: string; detailType: string; detail: unknown }) => Promise<void>;

/** Says on the event bus what state an instance is in; each instance's states in their order. */
export type StateEvents = {
  emit(instance: string, state: InstanceStateName): void;
  /** When everything that was emitted so far is on the bus, or was given up. */
  settled(): Promise<void>;
};

const attempts = 4;

export function createStateEvents(putEvent: PutEvent, log: (line: object) => void): StateEvents {
  const last = new Map<string, Promise<void>>();
  const put = async (instance: string, state: InstanceStateName): Promise<void> => {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      try {
        return await putEvent({
          source: "aws.ec2",
          detailType: "EC2 Instance State-change Notification",
          detail: { "instance-id": instance, state },
        });
      } catch (error) {
        log({ message: "A state change could not be put on the bus", instance, state, attempt, error: String(error) });
        if (attempt < attempts) await sleep(100 * 2 ** attempt);
      }
    }
  };
  return {
    emit(instance, state) {
      const chain = (last.get(instance) ?? Promise.resolve()).then(() => put(instance, state));
      last.set(instance, chain);
      if (state === "terminated") void chain.then(() => last.delete(instance));
    },
    settled: async () => void (await Promise.all(last.values())),
  };
}
