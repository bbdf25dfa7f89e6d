import * as z from "zod";

/** Where CloudFormation waits for the answer; without it nobody can be told anything. */
export const StackAnswerTo = z.object({ ResponseURL: z.url(), StackId: z.string(), RequestId: z.string(), LogicalResourceId: z.string() });
export type StackAnswerTo = z.infer<typeof StackAnswerTo>;

/**
 * What CloudFormation asks of the resource that stands for all instances of a deployment.
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html)
 */
export const StackChange = z.object({
  ...StackAnswerTo.shape,
  RequestType: z.enum(["Create", "Update", "Delete"]),
  ResourceProperties: z.object({ Name: z.string().min(1) }),
  PhysicalResourceId: z.string().optional(),
});
export type StackChange = z.infer<typeof StackChange>;
