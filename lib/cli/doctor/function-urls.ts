import { jsonOf } from "../../../events/json.ts";
import type { SignRequest } from "../../aws/access/request-signer.ts";
import { whatWentWrong } from "../invocation/exit.ts";
import type { UrlReply } from "./checks/endpoints.ts";

const tries = 2;
const longestMs = 8_000;

type Call = { readonly url: string; readonly method: "GET" | "POST"; readonly body?: string };

/** Makes a signed call of a function URL, and repeats it once if nothing responds. */
export async function callUrl(sign: SignRequest, call: Call): Promise<UrlReply> {
  let why = "";
  for (let done = 0; done < tries; done++) {
    try {
      return await once(sign, call);
    } catch (error) {
      // The reason of a failed fetch is only in its cause.
      why = whatWentWrong(error instanceof Error && error.cause !== undefined ? error.cause : error);
    }
  }
  return { kind: "silent", why };
}

async function once(sign: SignRequest, { url, method, body }: Call): Promise<UrlReply> {
  const unsigned = { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }) };
  const headers = await sign({ method, url: new URL(url), headers: unsigned, body });
  const response = await fetch(url, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
    redirect: "error",
    signal: AbortSignal.timeout(longestMs),
  });
  const text = await response.text();
  return { kind: "responded", status: response.status, spoke: response.ok || isOurs(jsonOf(text)) };
}

/** Our functions return problem details, which have a title. Lambda's own errors have only a `Message`. */
const isOurs = (body: unknown): boolean => typeof body === "object" && body !== null && "title" in body;
