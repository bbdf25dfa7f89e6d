import { Readable } from "node:stream";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { Fault } from "../model/fault.ts";
import { isAbsent, isAbsentOrDenied } from "./errors.ts";

/**
 * An object's bytes as they come; undefined when there is no such object. Whoever gets the body reads or destroys it.
 * S3 refuses to tell a caller who may not list the bucket whether an object is there. Such a caller has `ifDenied: "absent"`.
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
    if (ifDenied === "absent" ? isAbsentOrDenied(error) : isAbsent(error)) return undefined;
    throw error;
  }
  throw new Fault("object", `S3 answered without a body for ${object.Bucket}/${object.Key}`, { retry: true });
}
