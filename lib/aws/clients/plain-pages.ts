import { buffer } from "node:stream/consumers";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { jsonOf } from "../../../events/json.ts";

/** A value as DynamoDB sends it: an object whose only field is its type, such as `{"S": "text"}`. */
type Tagged = Record<string, unknown>;

/** What one call's middlewares share. `plainItems`: the items of the page that the call has read. */
type Call = { readonly commandName?: string; plainItems?: readonly Record<string, unknown>[] };

/** An HTTP response. Its body is a stream until it has been read. */
type Response = { readonly statusCode?: number; body?: Uint8Array | NodeJS.ReadableStream };

/**
 * Reads the pages of queries without the SDK's own decoding, which parses each page with a callback per value, copies it into values with
 * types and then again into plain values. A decision about a large pool spends most of its time on that. All else is left to the SDK. See
 * docs/decisions/0094-pages-are-read-plainly.md.
 */
export function readPagesPlainly(client: Pick<DynamoDBClient, "middlewareStack">): void {
  // The closest to the wire, within the SDK's retries: it takes the items out of the response before the SDK decodes the rest.
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const [call, response] = [context as Call, result.response as Response];
      if (call.commandName !== "QueryCommand" || response.statusCode !== 200 || response.body === undefined) return result;
      const { Items, ...rest } = pageOf(await bytesOf(response.body));
      if (Items) call.plainItems = Items.map(plainItem);
      response.body = Buffer.from(JSON.stringify(rest));
      return result;
    },
    { name: "takeItems", step: "deserialize", priority: "low", override: true },
  );
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const { plainItems } = context as Call;
      if (plainItems) Object.assign(result.output, { Items: plainItems });
      return result;
    },
    { name: "putItems", step: "initialize", override: true },
  );
}

type Page = { readonly Items?: readonly Record<string, Tagged>[] };

function pageOf(bytes: Buffer): Page {
  const page = jsonOf(bytes.toString("utf8"));
  // The parser's own error would quote the page, which may contain secrets of jobs.
  if (typeof page !== "object" || page === null) throw new Error("a page of a query is not JSON");
  return page;
}

const bytesOf = async (body: Uint8Array | NodeJS.ReadableStream): Promise<Buffer> =>
  body instanceof Uint8Array ? Buffer.from(body) : buffer(body);

/** Replaces each value of an item, in place, by the value that it stands for. In place, no name can change the prototype of an object. */
export function plainItem(item: Record<string, Tagged>): Record<string, unknown> {
  const plain: Record<string, unknown> = item;
  for (const name in item) plain[name] = plainValue(item[name] as Tagged);
  return plain;
}

function plainValue(tagged: Tagged): unknown {
  for (const type in tagged) {
    const held = tagged[type];
    switch (type) {
      case "S":
      case "BOOL":
        return held;
      case "N":
        return numberOf(held as string);
      case "NULL":
        return null;
      case "M":
        return plainItem(held as Record<string, Tagged>);
      case "L":
        return (held as Tagged[]).map(plainValue);
      case "B":
        return Buffer.from(held as string, "base64");
      case "SS":
        return new Set(held as string[]);
      case "NS":
        return new Set((held as string[]).map(numberOf));
      case "BS":
        return new Set((held as string[]).map((each) => Buffer.from(each, "base64")));
      // No schema accepts a value of another type, so its item counts as unreadable.
      default:
        return undefined;
    }
  }
  return undefined;
}

/** A number that a double cannot hold exactly is returned as a bigint, which no schema of ours accepts. */
function numberOf(text: string): number | bigint {
  const value = Number(text);
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(value) : value;
}
