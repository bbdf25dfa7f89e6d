import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { buffer } from "node:stream/consumers";

type Sent = { readonly headers: Readonly<Record<string, string>>; readonly body: unknown };

/**
 * A request handler of an SDK client that takes the responses of a table from a file, as Buffers, so that neither a connection nor a server
 * takes time. If the file does not exist, the responses are fetched, and `save` writes them.
 */
export function cannedResponses(file: string, endpoint: string) {
  const known = existsSync(file) ? read(file) : new Map<string, Buffer>();
  const fetched: [string, Buffer][] = [];
  return {
    handler: {
      async handle({ headers, body }: Sent) {
        const text = body instanceof Uint8Array ? Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString() : String(body);
        const key = `${headers["x-amz-target"]} ${text}`;
        const found = known.get(key) ?? (await fetchFrom(endpoint, headers, text));
        if (!known.has(key)) fetched.push([key, found]);
        return { response: { statusCode: 200, headers: { "content-type": "application/x-amz-json-1.0" }, body: found } };
      },
      httpHandlerConfigs: () => ({}),
      updateHttpClientConfig: () => undefined,
    },
    save: () => {
      if (fetched.length > 0) write(file, fetched);
    },
  };
}

async function fetchFrom(endpoint: string, { "x-amz-target": target = "" }: Sent["headers"], body: string): Promise<Buffer> {
  const response = await fetch(endpoint, { method: "POST", headers: { "x-amz-target": target }, body });
  return buffer(response.body as never);
}

/** Each entry is the lengths of its key and its response, 4 bytes each, and then both. */
function write(file: string, entries: readonly (readonly [string, Buffer])[]): void {
  const parts = entries.flatMap(([key, response]) => {
    const name = Buffer.from(key);
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32LE(name.length, 0);
    lengths.writeUInt32LE(response.length, 4);
    return [lengths, name, response];
  });
  writeFileSync(file, Buffer.concat(parts));
}

function read(file: string): Map<string, Buffer> {
  const all = readFileSync(file);
  const entries = new Map<string, Buffer>();
  for (let at = 0; at < all.length; ) {
    const keyEnd = at + 8 + all.readUInt32LE(at);
    const end = keyEnd + all.readUInt32LE(at + 4);
    entries.set(all.subarray(at + 8, keyEnd).toString(), all.subarray(keyEnd, end));
    at = end;
  }
  return entries;
}
