import { Readable } from "node:stream";
import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { Fault } from "../model/fault.ts";
import { awsErrorKind } from "./errors.ts";

/** An object's bytes as they come; undefined when there is no such object. Whoever gets the body reads or destroys it. */
export async function openObject(
  s3: Pick<S3Client, "send">,
  object: { readonly Bucket: string; readonly Key: string },
): Promise<{ readonly body: Readable; readonly bytes: number } | undefined> {
  try {
    const { Body, ContentLength } = await s3.send(new GetObjectCommand(object));
    if (Body instanceof Readable && ContentLength !== undefined) return { body: Body, bytes: ContentLength };
  } catch (error) {
    if (awsErrorKind(error) === "missing") return undefined;
    throw error;
  }
  throw new Fault("object", `S3 answered without a body for ${object.Bucket}/${object.Key}`, { retry: true });
}
