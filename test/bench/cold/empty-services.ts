import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** Where a function's canary calls go. */
export const nodePath = "/node/";

/**
 * AWS services on the loopback interface that contain nothing and accept everything, so that a function's first call gets as far as it does on AWS, nothing
 * leaves the machine, and nothing is repeated.
 */
export async function emptyServices(): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    buffer(request)
      .then(() => respond(request, response))
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function respond({ method, url = "", headers }: IncomingMessage, response: ServerResponse): void {
  const send = (type: string, body: string, status = 200): void => void response.writeHead(status, { "content-type": type }).end(body);
  // DynamoDB, SQS and others say what is called in this header, EC2 and STS in a form, S3 in the method.
  if (headers["x-amz-target"] !== undefined) send(String(headers["content-type"]), "{}");
  else if (url === nodePath) send("application/json", '{"kind":"canary"}');
  else if (method === "POST") send("text/xml", "<Response/>");
  else if (method === "GET" && url.includes("list-type=2")) send("application/xml", "<ListBucketResult/>");
  else if (method === "GET") send("application/xml", "<Error><Code>NoSuchKey</Code></Error>", 404);
  else send("application/xml", "");
}
