import type { HttpCall } from "../../requests/http.ts";
import { isDeletion } from "./s3.ts";

/** How a service is called. */
type Protocol = { readonly kind: "json"; readonly target: string } | { readonly kind: "query" } | { readonly kind: "s3" };

/** The services whose calls are described here, and the prefix of their operations in the header `x-amz-target`. */
const protocols: Readonly<Record<string, Protocol>> = {
  dynamodb: { kind: "json", target: "DynamoDB_20120810" },
  ec2: { kind: "query" },
  events: { kind: "json", target: "AWSEvents" },
  kms: { kind: "json", target: "TrentService" },
  logs: { kind: "json", target: "Logs_20140328" },
  pricing: { kind: "json", target: "AWSPriceListService" },
  s3: { kind: "s3" },
  sqs: { kind: "json", target: "AmazonSQS" },
  ssm: { kind: "json", target: "AmazonSSM" },
  sts: { kind: "query" },
};

/**
 * Returns why a call is not in the form in which AWS's own clients call this service, or undefined if it is. The emulators also accept other forms,
 * guess the service from other parts of a call, and take what is given twice from either place. Then they would carry out something else than
 * what is judged.
 */
export function wireProblem(service: string, call: HttpCall): string | undefined {
  const { headers, path } = call;
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/i.test(headers["host"] ?? ""))
    return "use the address of the endpoint itself, and path-style addresses for S3";
  if (path.startsWith("/_")) return "there is no such path";
  const protocol = Object.hasOwn(protocols, service) ? protocols[service] : undefined;
  if (!protocol) return undefined;
  // An object's encoding is its own. All other bodies are read here.
  const isRead = protocol.kind !== "s3" || isDeletion(call);
  if (isRead && headers["content-encoding"] !== undefined) return "the body must not be encoded";
  return (
    targetProblem(service, protocol, headers["x-amz-target"]) ??
    (protocol.kind === "s3" ? s3Problem(call) : bodyProblem(service, protocol, call))
  );
}

function targetProblem(service: string, protocol: Protocol, target: string | undefined): string | undefined {
  if (protocol.kind !== "json") return target === undefined ? undefined : notOf(service, target);
  return new RegExp(`^${protocol.target}\\.[A-Za-z0-9]+$`).test(target ?? "")
    ? undefined
    : notOf(service, target ?? "a call without x-amz-target");
}

function bodyProblem(service: string, { kind }: Protocol, { path, method, body }: HttpCall): string | undefined {
  if (path !== "/" || method !== "POST") return `${service} is called by POST to /, without a query`;
  if (kind === "json") return undefined;
  const names = [...new URLSearchParams(body.toString()).keys()];
  return new Set(names).size < names.length ? "a parameter is given twice" : undefined;
}

const notOf = (service: string, target: string): string => `${target} is not an operation of ${service}`;

/** Parameters of a presigned URL, and those that only name the operation or what a response should look like. */
const harmless = /^(x-amz-(algorithm|credential|date|expires|security-token|signature|signedheaders|content-sha256|checksum-mode)|x-id)$/;

/** Presigned URLs carry headers in their query, and the emulator takes them from there in every call. */
function s3Problem({ path, headers }: HttpCall): string | undefined {
  const [raw = "", query = ""] = path.split(/\?(.*)/s);
  try {
    decodeURIComponent(raw);
  } catch {
    return "the path is not encoded as UTF-8";
  }
  const names = [...new URLSearchParams(query).keys()].map((name) => name.toLowerCase());
  if (new Set(names).size < names.length) return "a parameter is given twice";
  const hoisted = names.filter((name) => name.startsWith("x-amz-") && !harmless.test(name));
  const isPresigned = names.includes("x-amz-signature");
  const wrong = hoisted.find((name) => !isPresigned || headers[name] !== undefined);
  return wrong === undefined ? undefined : `${wrong} must be a header, or be in the query of a presigned URL`;
}
