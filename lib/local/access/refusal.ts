import { randomUUID } from "node:crypto";
import type { HttpCall, HttpResponse } from "../requests/http.ts";
import { Ec2Error, errorResponse, escapeXml } from "../requests/query-protocol.ts";

/** Why a call is refused. `code`: AWS's general code, from which each service's own follows. */
export type AccessRefusal = {
  readonly code: "AccessDenied" | "InvalidClientTokenId" | "ExpiredToken" | "ValidationError" | "MalformedPolicyDocument";
  readonly message: string;
};

type Codes = Partial<Readonly<Record<AccessRefusal["code"], string>>>;
const s3Codes: Codes = { InvalidClientTokenId: "InvalidAccessKeyId" };
const ec2Codes: Codes = { AccessDenied: "UnauthorizedOperation", InvalidClientTokenId: "AuthFailure", ExpiredToken: "RequestExpired" };
const jsonCodes: Codes = {
  AccessDenied: "AccessDeniedException",
  InvalidClientTokenId: "UnrecognizedClientException",
  ExpiredToken: "ExpiredTokenException",
};

/** Returns a refusal in the form of a service's own. */
export function refused(service: string, call: Pick<HttpCall, "method" | "headers">, { code, message }: AccessRefusal): HttpResponse {
  switch (service) {
    case "s3": {
      const element = `<Error><Code>${s3Codes[code] ?? code}</Code><Message>${escapeXml(message)}</Message></Error>`;
      // A response to HEAD has no body, so its caller learns only the status.
      const body = call.method === "HEAD" ? "" : `<?xml version="1.0" encoding="UTF-8"?>\n${element}`;
      return { status: 403, headers: { "content-type": "application/xml" }, body };
    }
    case "ec2":
      return errorResponse(new Ec2Error(ec2Codes[code] ?? code, message, 403));
    case "sts":
      return {
        status: code === "ValidationError" || code === "MalformedPolicyDocument" ? 400 : 403,
        headers: { "content-type": "text/xml" },
        body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error><RequestId>${randomUUID()}</RequestId></ErrorResponse>`,
      };
    default: {
      const type = jsonCodes[code] ?? code;
      const headers = { "content-type": call.headers["content-type"] ?? "application/x-amz-json-1.1", "x-amzn-errortype": type };
      return { status: 400, headers, body: JSON.stringify({ __type: type, message }) };
    }
  }
}
