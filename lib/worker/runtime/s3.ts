import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import type { Credentials } from "../../../events/node-call.ts";

/** Credentials that the server renews while clients use them. */
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

  /** The credential provider for the SDK. */
  readonly provider = async () => ({
    accessKeyId: this.#now.accessKeyId,
    secretAccessKey: this.#now.secretAccessKey,
    sessionToken: this.#now.sessionToken,
    expiration: new Date(this.#now.expiresAtMs),
  });
}

export type S3Place = { readonly region: string; readonly local: boolean };

export const s3Client = (place: S3Place, credentials: AttemptCredentials): S3Client => clientFor(place, credentials.provider);

/** The client of the instance itself, which may only leave outboxes. */
export const instanceS3 = (place: S3Place, credentials: NonNullable<S3ClientConfig["credentials"]>): S3Client =>
  clientFor(place, credentials);

const clientFor = (place: S3Place, credentials: NonNullable<S3ClientConfig["credentials"]>): S3Client =>
  new S3Client({
    region: place.region,
    forcePathStyle: place.local,
    followRegionRedirects: true,
    credentials,
    maxAttempts: 4,
    // Once a download has begun, only `socketTimeout` limits it: a connection without data for a minute is considered dead.
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 60_000, socketTimeout: 60_000, throwOnRequestTimeout: true },
  });
