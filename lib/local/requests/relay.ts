import { type Agent, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, request as send } from "node:http";

/** A call that is forwarded, and the connections to where it goes. */
export type Forwarded = { readonly request: IncomingMessage; readonly response: ServerResponse; readonly agent: Agent };

/** Streams a response. */
export function pass(upstream: IncomingMessage, response: ServerResponse): void {
  response.writeHead(upstream.statusCode ?? 502, upstream.headers);
  upstream.pipe(response);
}

/** The emulators let every web page read their responses. No page may read these. */
const withoutCors = (headers: IncomingHttpHeaders): IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith("access-control-")));

/** The emulators refuse whatever a browser sends, because only this endpoint should call them. It has checked the call. */
const withoutBrowser = (headers: IncomingHttpHeaders): IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "origin" && name !== "sec-fetch-site"));

type Relayed = {
  /** The body, if it was read already. @default the call's body is streamed */
  readonly body?: Buffer;
  /** Returns the response. @default it is streamed */
  readonly how?: (upstream: IncomingMessage) => Promise<void>;
};

/** Forwards the call with unchanged headers, including Host. */
export function relay({ request, response, agent }: Forwarded, to: string, { body, how }: Relayed): Promise<void> {
  const { hostname, port } = new URL(to);
  return new Promise((resolve, reject) => {
    const onward = send(
      { hostname, port, agent, method: request.method, path: request.url, headers: withoutBrowser(request.headers) },
      (upstream) => {
        upstream.headers = withoutCors(upstream.headers);
        upstream.once("error", reject);
        if (how) how(upstream).catch(reject);
        else pass(upstream, response);
      },
    );
    onward.once("error", reject);
    // A long poll whose caller is gone must not receive a message, which would be lost.
    response.once("close", () => {
      if (!response.writableFinished) onward.destroy();
      resolve();
    });
    if (body) onward.end(body);
    else request.pipe(onward);
  });
}
