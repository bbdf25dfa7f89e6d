import { S3Client } from "@aws-sdk/client-s3";
import type { Credentials } from "../../events/node-call.ts";

/** Credentials that change while clients live: the server renews them. */
export class AttemptCredentials {
  #now: Credentials;

  constructor(first: Credentials) {
    this.#now = first;
  }

  renew(credentials: Credentials): void {
    if (credentials.expiresAtMs > this.#now.expiresAtMs) this.#now = credentials;
  }

  get expiresAtMs(): number {
    return this.#now.expiresAtMs;
  }

  /** As the SDK asks for them. */
  readonly provider = async () => ({
    accessKeyId: this.#now.accessKeyId,
    secretAccessKey: this.#now.secretAccessKey,
    sessionToken: this.#now.sessionToken,
    expiration: new Date(this.#now.expiresAtMs),
  });
}

export type S3Place = { readonly region: string; readonly local: boolean };

export const s3Client = (place: S3Place, credentials: AttemptCredentials): S3Client =>
  new S3Client({
    region: place.region,
    forcePathStyle: place.local,
    followRegionRedirects: true,
    credentials: credentials.provider,
    maxAttempts: 4,
    // A download that has begun is bound by the socket alone: one that is silent for a minute is dead.
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 60_000, socketTimeout: 60_000, throwOnRequestTimeout: true },
  });

/** What S3 said: nobody else compares its error names. `trouble` may pass. */
export function s3Trouble(error: unknown): "no-bucket" | "no-object" | "denied" | "changed" | "trouble" {
  const name = error instanceof Error ? error.name : "";
  const status = statusOf(error);
  if (name === "NoSuchBucket") return "no-bucket";
  if (name === "NoSuchKey" || name === "NotFound" || status === 404) return "no-object";
  // Not the ETag that was asked for.
  if (name === "PreconditionFailed" || status === 412) return "changed";
  // An expired token is 400, and passes once the server has renewed it.
  if (name === "AccessDenied" || name === "Forbidden" || status === 403) return "denied";
  return "trouble";
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("$metadata" in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) return undefined;
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
}
