import { expect, it } from "vitest";
import { createStateEvents } from "../../../lib/local/ec2/instances/state-events.ts";

it("an instance's state events are put on the bus in order, and retried if the bus fails", async () => {
  const put: string[] = [];
  const logged: object[] = [];
  let failures = 2;
  const events = createStateEvents(
    async ({ detail }) => {
      const { "instance-id": id, state } = detail as { "instance-id": string; state: string };
      if (id === "i-a" && failures-- > 0) throw new Error("the bus is down");
      put.push(`${id} ${state}`);
    },
    (line) => logged.push(line),
  );
  for (const state of ["pending", "running", "shutting-down"] as const) {
    for (const id of ["i-a", "i-b"]) events.emit({ id, region: "us-east-1", zone: "us-east-1a", accountId: "1" }, { kind: "state", state });
  }
  await events.settled();
  expect(put.filter((one) => one.startsWith("i-a"))).toEqual(["i-a pending", "i-a running", "i-a shutting-down"]);
  expect(put.slice(0, 3)).toEqual(["i-b pending", "i-b running", "i-b shutting-down"]);
  expect(logged).toHaveLength(2);
});
