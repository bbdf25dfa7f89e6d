import { Readable } from "node:stream";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { s3Refusal, whyUnreadable } from "../../events/s3-refusal.ts";
import { Fault } from "../model/fault.ts";

/**
 * An object's bytes as they come; undefined when there is no such object. Whoever gets the body reads or destroys it. Throws a
 * Fault in words (retry) for anything else: also when the object does not exist and the caller may not list the bucket.
 */
export async function openObject(
  s3: Pick<S3Client, "send">,
  object: { readonly Bucket: string; readonly Key: string },
): Promise<{ readonly body: Readable; readonly bytes: number } | undefined> {
  try {
    const { Body, ContentLength } = await s3.send(new GetObjectCommand(object));
    if (Body instanceof Readable && ContentLength !== undefined) return { body: Body, bytes: ContentLength };
  } catch (error) {
    const refusal = s3Refusal(error);
    if (refusal.kind === "no-object" || refusal.kind === "no-bucket") return undefined;
    // Even what asking again does not change, an admin can: nothing that is only unreadable is given up here.
    const why = `s3://${object.Bucket}/${object.Key} cannot be read: ${whyUnreadable(refusal)}`;
    throw new Fault("object", why, { retry: true, cause: error });
  }
  throw new Fault("object", `S3 answered without a body for ${object.Bucket}/${object.Key}`, { retry: true });
}
