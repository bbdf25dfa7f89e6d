import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { HttpCall, HttpResponse } from "../../lib/local/requests/http.ts";

/** Serves whole calls on a free port of 127.0.0.1. */
export async function served(respond: (call: HttpCall) => Promise<HttpResponse>): Promise<{ url: string; close(): Promise<void> }> {
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const {
      status,
      headers: theirs,
      body,
      cut,
    } = await respond({ method: request.method ?? "", path: request.url ?? "/", headers, body: Buffer.concat(chunks) });
    if (cut) return void response.destroy();
    response.writeHead(status, theirs).end(body);
  };
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error instanceof Error ? error : new Error(String(error))));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
