import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";

/** A request to one of our own addresses on AWS. */
export type UnsignedRequest = {
  readonly method: string;
  readonly url: URL;
  /** Names in lower case; `host` is added. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
};

/** Answers the request's headers with those that sign it. Valid for five minutes. */
export type SignRequest = (request: UnsignedRequest) => Promise<Readonly<Record<string, string>>>;

/** Where an SDK client has its region and credentials from; a client's `config` is one. */
type Origin = {
  readonly region: () => Promise<string>;
  readonly credentials: () => Promise<{
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string | undefined;
  }>;
};

/** Signs calls to function URLs (SigV4, service `lambda`) in the name of whoever the credentials belong to. */
export const functionUrlSigner =
  (origin: Origin): SignRequest =>
  async ({ method, url, headers, body }) => {
    const { accessKeyId, secretAccessKey, sessionToken } = await origin.credentials();
    const signer = new SignatureV4({
      service: "lambda",
      region: await origin.region(),
      credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
      sha256: Sha256,
    });
    const signed = await signer.sign({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port ? { port: Number(url.port) } : {}),
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { ...headers, host: url.host },
      ...(body === undefined ? {} : { body }),
    });
    return signed.headers;
  };
