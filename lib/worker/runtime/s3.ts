import { S3Client } from "@aws-sdk/client-s3";
import type { Credentials } from "../../../events/node-call.ts";

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
