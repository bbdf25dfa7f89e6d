import { Agent, request } from "node:http";
import type { HttpCall, HttpResponse } from "../../requests/http.ts";
import { Ec2Error } from "../../requests/query-protocol.ts";
import { type Element, readXml, textAt } from "./xml-document.ts";

/** moto's EC2, which stores the state behind the front. */
export type Moto = {
  /** Forwards the call unchanged. */
  pass(call: HttpCall): Promise<HttpResponse>;
  /** Makes a call of our own and parses the response. Throws moto's error if moto refuses. */
  call(region: string, form: URLSearchParams | Readonly<Record<string, string>>): Promise<Element>;
};

/** Headers that belong to one connection, or that are computed again. */
const notPassed = new Set(["connection", "keep-alive", "content-length", "transfer-encoding", "expect"]);

/** Connects to moto. A call fails if moto sends nothing for `timeoutMs`. */
export function connectMoto(motoUrl: string, timeoutMs = 30_000): Moto {
  const agent = new Agent({ keepAlive: false, maxSockets: 16 });
  const pass = (call: HttpCall): Promise<HttpResponse> =>
    new Promise((resolve, reject) => {
      const headers = Object.fromEntries(Object.entries(call.headers).filter(([name]) => !notPassed.has(name)));
      const outgoing = request(new URL(call.path, motoUrl), { agent, method: call.method, headers, timeout: timeoutMs }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () =>
          resolve({
            status: incoming.statusCode ?? 502,
            headers: { "content-type": incoming.headers["content-type"] ?? "text/xml" },
            body: Buffer.concat(chunks),
          }),
        );
      });
      outgoing.on("timeout", () => outgoing.destroy(new Error(`moto did not respond within ${timeoutMs} ms`)));
      outgoing.on("error", reject);
      outgoing.end(call.body);
    });
  return {
    pass,
    async call(region, form) {
      const { status, body } = await pass({
        method: "POST",
        path: "/",
        headers: {
          "content-type": "application/x-www-form-urlencoded; charset=utf-8",
          // moto reads the service and the region from here, and does not verify the signature.
          authorization: `AWS4-HMAC-SHA256 Credential=local/20260101/${region}/ec2/aws4_request, SignedHeaders=host, Signature=none`,
        },
        body: Buffer.from(new URLSearchParams({ Version: "2016-11-15", ...plain(form) }).toString()),
      });
      if (status >= 500) throw new Ec2Error("InternalError", "moto failed", 500);
      const root = readXml(body.toString());
      if (status < 300) return root;
      throw new Ec2Error(
        textAt(root, "Errors", "Error", "Code") ?? "InternalError",
        textAt(root, "Errors", "Error", "Message") ?? "moto refused the call",
        status,
      );
    },
  };
}

const plain = (form: URLSearchParams | Readonly<Record<string, string>>): Record<string, string> =>
  form instanceof URLSearchParams ? Object.fromEntries(form) : form;
