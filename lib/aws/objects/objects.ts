import { Readable } from "node:stream";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { s3Refusal, whyUnreadable } from "../../../events/s3-refusal.ts";
import { FleetError } from "../../model/fleet-error.ts";

/**
 * Returns an object's bytes as a stream, or undefined if there is no such object. The caller must read or destroy the body.
 * Throws a FleetError (retry) for anything else. S3 hides from a caller that may not list the bucket whether an object exists. Such
 * a caller should pass `ifDenied: "absent"`.
 */
export async function openObject(
  s3: Pick<S3Client, "send">,
  object: { readonly Bucket: string; readonly Key: string },
  { ifDenied = "throw" }: { readonly ifDenied?: "absent" | "throw" } = {},
): Promise<{ readonly body: Readable; readonly bytes: number } | undefined> {
  try {
    const { Body, ContentLength } = await s3.send(new GetObjectCommand(object));
    if (Body instanceof Readable && ContentLength !== undefined) return { body: Body, bytes: ContentLength };
  } catch (error) {
    const refusal = s3Refusal(error);
    if (refusal.kind === "no-object" || refusal.kind === "no-bucket") return undefined;
    if (refusal.kind === "denied" && ifDenied === "absent") return undefined;
    // Retry is set even for definite refusals, because an admin may fix them: an object that is only unreadable is not given up.
    const why = `s3://${object.Bucket}/${object.Key} cannot be read: ${whyUnreadable(refusal)}`;
    throw new FleetError("object", why, { retry: true, cause: error });
  }
  throw new FleetError("object", `S3 returned no body for ${object.Bucket}/${object.Key}`, { retry: true });
}
