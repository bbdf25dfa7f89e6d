import { CreateLogGroupCommand, PutRetentionPolicyCommand } from "@aws-sdk/client-cloudwatch-logs";
import * as z from "zod";
import { kind } from "./kind.ts";
import { arn } from "./world.ts";

export const logGroup = kind({
  type: "AWS::Logs::LogGroup",
  properties: z.strictObject({
    LogGroupName: z.string().optional(),
    KmsKeyId: z.string().optional(),
    RetentionInDays: z.number().optional(),
  }),
  create: async ({ LogGroupName, KmsKeyId, RetentionInDays }, place, { clients }) => {
    const logGroupName = LogGroupName ?? place.name;
    await clients.logs.send(new CreateLogGroupCommand({ logGroupName, kmsKeyId: KmsKeyId }));
    if (RetentionInDays) await clients.logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: RetentionInDays }));
    return { ref: logGroupName, attributes: { Arn: `${arn("logs", `log-group:${logGroupName}`)}:*` } };
  },
});
