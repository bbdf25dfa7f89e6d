import { S3Client } from "@aws-sdk/client-s3";
import { type ClientSettings, common } from "./settings.ts";

/** A part of an upload may take long on a thin line, and a download waits while what was read of it is passed on. */
export const s3Client = (settings: ClientSettings = {}): S3Client =>
  new S3Client({ ...common(settings, { requestMs: 120_000, maxAttempts: 3, silentMs: 60_000 }), forcePathStyle: true });
