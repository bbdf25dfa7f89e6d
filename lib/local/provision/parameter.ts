import { PutParameterCommand } from "@aws-sdk/client-ssm";
import * as z from "zod";
import { kind } from "./kind.ts";

export const parameter = kind({
  type: "AWS::SSM::Parameter",
  properties: z.strictObject({
    Name: z.string().optional(),
    Type: z.enum(["String", "StringList"]),
    Value: z.string(),
    Description: z.string().optional(),
  }),
  create: async ({ Name, Type, Value, Description }, place, { clients, blueprint }) => {
    const name = Name ?? place.name;
    await clients.ssm.send(new PutParameterCommand({ Name: name, Type, Value, Description, Overwrite: true }));
    blueprint.parameters.set(name, Value);
    return { ref: name, attributes: { Type, Value } };
  },
});
