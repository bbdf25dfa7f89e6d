import { CreateEventBusCommand } from "@aws-sdk/client-eventbridge";
import * as z from "zod";
import { kind } from "./kind.ts";
import { arn } from "./world.ts";

export const eventBus = kind({
  type: "AWS::Events::EventBus",
  properties: z.strictObject({ Name: z.string() }),
  harmless: ["Description"],
  create: async ({ Name }, _place, { clients }) => {
    await clients.events.send(new CreateEventBusCommand({ Name }));
    return { ref: Name, attributes: { Name, Arn: arn("events", `event-bus/${Name}`) } };
  },
});
