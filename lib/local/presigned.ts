import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Identities } from "./identities.ts";

/** A presigned call that credentials of ours signed: `path` is what is left when the signature has been checked and taken off. */
export type Presigned =
  | { readonly kind: "none" }
  | { readonly kind: "signed"; readonly path: string }
  | { readonly kind: "refused"; readonly code: string };

type Call = { readonly method: string; readonly path: string; readonly headers: IncomingHttpHeaders };

/** The parameters that only sign. */
const signing = new Set([
  "X-Amz-Algorithm",
  "X-Amz-Credential",
  "X-Amz-Date",
  "X-Amz-Expires",
  "X-Amz-Security-Token",
  "X-Amz-SignedHeaders",
  "X-Amz-Signature",
  "X-Amz-Content-Sha256",
]);

/**
 * Checks a presigned URL (SigV4 in the query) whose key was issued here: MiniStack knows only keys that it issued itself.
 * `none`: no such call; pass it on as it is.
 */
export function checkPresigned(call: Call, options: { identities: Identities; nowMs: number }): Presigned {
  const url = new URL(call.path, "http://localhost");
  const query = url.searchParams;
  const [accessKeyId = "", day = "", region = "", service = ""] = (query.get("X-Amz-Credential") ?? "").split("/");
  const known = options.identities.find(accessKeyId);
  if (!known || !query.has("X-Amz-Signature")) return { kind: "none" };
  const date = query.get("X-Amz-Date") ?? "";
  const expiresAtMs = timeOf(date) + Number(query.get("X-Amz-Expires")) * 1_000;
  if (!(options.nowMs < Math.min(expiresAtMs, known.credentials.expiresAtMs))) return { kind: "refused", code: "AccessDenied" };
  if (query.get("X-Amz-Security-Token") !== known.credentials.sessionToken) return { kind: "refused", code: "InvalidToken" };

  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", date, scope, createHash("sha256").update(canonical(call, url)).digest("hex")].join("\n");
  const key = [day, region, service, "aws4_request"].reduce<string | Buffer>(hmac, `AWS4${known.credentials.secretAccessKey}`);
  const expected = hmac(key, toSign);
  const given = Buffer.from(query.get("X-Amz-Signature") ?? "", "hex");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return { kind: "refused", code: "SignatureDoesNotMatch" };
  const rest = parameters(url).filter((pair) => !signing.has(decodeURIComponent(pair.split("=")[0] ?? "")));
  return { kind: "signed", path: rest.length > 0 ? `${url.pathname}?${rest.join("&")}` : url.pathname };
}

/** The canonical request of SigV4 for S3: the path and the parameters as they were sent, the parameters in order. */
function canonical({ method, headers }: Call, url: URL): string {
  const names = (url.searchParams.get("X-Amz-SignedHeaders") ?? "").split(";");
  const query = parameters(url)
    .filter((pair) => !pair.startsWith("X-Amz-Signature="))
    .map((pair) => (pair.includes("=") ? pair : `${pair}=`))
    .sort();
  return [
    method,
    url.pathname,
    query.join("&"),
    ...names.map((name) => `${name}:${String(headers[name] ?? "").trim()}`),
    "",
    names.join(";"),
    url.searchParams.get("X-Amz-Content-Sha256") ?? "UNSIGNED-PAYLOAD",
  ].join("\n");
}

const parameters = (url: URL): string[] => url.search.slice(1).split("&").filter(Boolean);
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

/** ms since the epoch of `20261123T213744Z`; NaN for anything else. */
const timeOf = (date: string): number => Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
