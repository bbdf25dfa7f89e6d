import { S3Client } from "@aws-sdk/client-s3";
import { type ClientSettings, common } from "./settings.ts";

/** Time limits are long because a part of an upload may be slow, and a download pauses while its data is passed on. */
export const s3Client = (settings: ClientSettings = {}): S3Client =>
  new S3Client({ ...common(settings, { requestMs: 120_000, maxAttempts: 3, silentMs: 60_000 }), forcePathStyle: true });
