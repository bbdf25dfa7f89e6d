import * as z from "zod";

/** Where CloudFormation waits for the response. A request without these fields cannot be answered at all. */
export const StackAnswerTo = z.object({ ResponseURL: z.url(), StackId: z.string(), RequestId: z.string(), LogicalResourceId: z.string() });
export type StackAnswerTo = z.infer<typeof StackAnswerTo>;

/**
 * CloudFormation's request to the custom resource that stands for all instances of a deployment.
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html)
 */
export const StackChange = z.object({
  ...StackAnswerTo.shape,
  RequestType: z.enum(["Create", "Update", "Delete"]),
  ResourceProperties: z.object({ Name: z.string().min(1) }),
  PhysicalResourceId: z.string().optional(),
});
export type StackChange = z.infer<typeof StackChange>;
