import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";

/** A request to one of the deployment's own URLs on AWS. */
export type UnsignedRequest = {
  readonly method: string;
  readonly url: URL;
  /** Names must be in lower case; `host` is added. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
};

/** Returns the request's headers with the signature's headers added, which are valid for five minutes. */
export type SignRequest = (request: UnsignedRequest) => Promise<Readonly<Record<string, string>>>;

/** The source of a region and credentials, for example an SDK client's `config`. */
type Origin = {
  readonly region: () => Promise<string>;
  readonly credentials: () => Promise<{
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string | undefined;
  }>;
};

/** Returns a signer for calls of function URLs (SigV4, service `lambda`) that uses the origin's credentials. */
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
