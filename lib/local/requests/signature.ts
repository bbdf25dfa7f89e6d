import { createHash, timingSafeEqual } from "node:crypto";
import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import type { HttpCall } from "./http.ts";
import type { Identities, Principal } from "./identities.ts";

export type Signer = { readonly accessKeyId: string; readonly principal: Principal };
/** The signer of a call, or the reason for which AWS would refuse its signature, in AWS's words. */
export type SignatureVerdict = ({ readonly kind: "signed" } & Signer) | { readonly kind: "refused"; readonly message: string };

/** AWS refuses a signature whose time differs by more than this. */
const clockSkewMs = 5 * 60_000;

const refused = (message: string): SignatureVerdict => ({ kind: "refused", message });

/** Verifies a signature: signs the call again with the secret of its access key and compares. */
export async function verifySignature(
  call: HttpCall,
  options: { identities: Identities; service: string; nowMs: number },
): Promise<SignatureVerdict> {
  const claim = claimOf(call.headers);
  if (!claim) return refused("Missing Authentication Token");
  if (claim.service !== options.service) return refused(`Credential should be scoped to correct service: '${options.service}'.`);
  const known = options.identities.find(claim.accessKeyId);
  if (!known || known.credentials.sessionToken !== (call.headers["x-amz-security-token"] ?? ""))
    return refused("The security token included in the request is invalid.");
  if (known.credentials.expiresAtMs <= options.nowMs) return refused("The security token included in the request is expired");
  if (Math.abs(claim.signedAtMs - options.nowMs) > clockSkewMs)
    return refused(`Signature not yet current or expired: ${new Date(claim.signedAtMs).toISOString()}`);
  const mismatch = refused(
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
  );
  if (!claim.signedHeaders.has("host") || !claim.signedHeaders.has("x-amz-date") || !bodyMatches(call)) return mismatch;
  const again = await sign(call, claim, known.credentials);
  return equal(again, claim.signature) ? { kind: "signed", accessKeyId: claim.accessKeyId, principal: known.principal } : mismatch;
}

type Claim = {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: ReadonlySet<string>;
  readonly signature: string;
  readonly signedAtMs: number;
};

function claimOf(headers: Readonly<Record<string, string>>): Claim | undefined {
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request,\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/.exec(
      headers["authorization"] ?? "",
    );
  const date = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(headers["x-amz-date"] ?? "");
  if (!parts || !date) return undefined;
  const [, accessKeyId = "", region = "", service = "", signedHeaders = "", signature = ""] = parts;
  const [, year, month, day, hour, minute, second] = date.map(Number);
  const signedAtMs = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
  return { accessKeyId, region, service, signedHeaders: new Set(signedHeaders.split(";")), signature, signedAtMs };
}

/** Reports whether the hash that the signature covers is the body's. */
function bodyMatches(call: HttpCall): boolean {
  const named = call.headers["x-amz-content-sha256"];
  return named === undefined || named === "UNSIGNED-PAYLOAD" || named === createHash("sha256").update(call.body).digest("hex");
}

async function sign(call: HttpCall, claim: Claim, credentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string }) {
  const url = new URL(call.path, "http://localhost");
  const signed = await new SignatureV4({
    service: claim.service,
    region: claim.region,
    credentials,
    sha256: Sha256,
    applyChecksum: false,
  }).sign(
    {
      method: call.method,
      protocol: "http:",
      hostname: "localhost",
      path: url.pathname,
      query: queryOf(url),
      headers: Object.fromEntries(Object.entries(call.headers).filter(([name]) => claim.signedHeaders.has(name))),
      body: call.body,
    },
    { signingDate: new Date(claim.signedAtMs), signableHeaders: new Set(claim.signedHeaders) },
  );
  return signed.headers["authorization"]?.split("Signature=")[1] ?? "";
}

function queryOf(url: URL): Record<string, string | string[]> {
  return Object.fromEntries(
    [...new Set(url.searchParams.keys())].map((name) => {
      const values = url.searchParams.getAll(name);
      return [name, values.length === 1 ? (values[0] ?? "") : values];
    }),
  );
}

const equal = (a: string, b: string): boolean => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
