import * as z from "zod";

/** Where CloudFormation waits for the response. Without these fields, there is no way to respond to a request. */
export const StackCallback = z.object({ ResponseURL: z.url(), StackId: z.string(), RequestId: z.string(), LogicalResourceId: z.string() });
export type StackCallback = z.infer<typeof StackCallback>;

/**
 * CloudFormation's request to the custom resource that stands for all instances of a deployment.
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html)
 */
export const StackChange = z.object({
  ...StackCallback.shape,
  RequestType: z.enum(["Create", "Update", "Delete"]),
  ResourceProperties: z.object({ Name: z.string().min(1) }),
  PhysicalResourceId: z.string().optional(),
});
export type StackChange = z.infer<typeof StackChange>;
