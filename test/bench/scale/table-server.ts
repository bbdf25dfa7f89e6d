/**
 * A DynamoDB that only reads, in a process of its own, so that the measured process has nothing but the real client. `process.argv[2]`
 * holds the contents as JSON. Prints its port when it is ready.
 */
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { marshall } from "@aws-sdk/util-dynamodb";
import * as z from "zod";
import { defined } from "../../../lib/aws/table/expression.ts";
import { catalogueKey, poolKey } from "../../../lib/aws/table/keys.ts";
import { catalogue, itemsOf } from "./contents.ts";

/** DynamoDB reads at most 1 MB per response. Its own format is about three quarters of the JSON. */
const maxBytes = 1_000_000;
const bytesPerJson = 0.75;

const contents = z.object({ queued: z.number(), nodes: z.number(), crafted: z.boolean() }).parse(JSON.parse(process.argv[2] ?? ""));
type Row = { readonly sk: string; readonly json: string };
const partitions = new Map<string, Row[]>();
for (const item of itemsOf(contents)) {
  const rows = partitions.get(String(item["pk"])) ?? [];
  rows.push({ sk: String(item["sk"]), json: JSON.stringify(marshall(defined(item))) });
  partitions.set(String(item["pk"]), rows);
}
for (const rows of partitions.values()) rows.sort((a, b) => (a.sk < b.sk ? -1 : 1));

const reserved = { reservedMicroUsd: contents.nodes * 10_000_000, reservedGpus: contents.nodes * 8 };
const single = new Map([
  [keyName(poolKey("gpu")), JSON.stringify({ Item: marshall({ ...poolKey("gpu"), epoch: 7, ...reserved }) })],
  [
    keyName(catalogueKey("gpu")),
    JSON.stringify({ Item: { ...marshall(catalogueKey("gpu")), gz: { B: gzipSync(JSON.stringify(catalogue)).toString("base64") } } }),
  ],
]);

const Value = z.object({ S: z.string() });
const Body = z.looseObject({
  Key: z.object({ pk: Value, sk: Value }).optional(),
  ExpressionAttributeValues: z.record(z.string(), z.looseObject({ S: z.string().optional() })).optional(),
  ExclusiveStartKey: z.object({ sk: Value }).optional(),
  Limit: z.number().default(Number.POSITIVE_INFINITY),
  Select: z.string().optional(),
});
type Body = z.infer<typeof Body>;

function keyName({ pk, sk }: { pk: string; sk: string }): string {
  return `${pk}\n${sk}`;
}

function query({ ExpressionAttributeValues = {}, ExclusiveStartKey, Limit, Select }: Body): string {
  const [pk = "", after = ""] = Object.values(ExpressionAttributeValues).map(({ S }) => S ?? "");
  const from = ExclusiveStartKey?.sk.S ?? after;
  const rows = partitions.get(pk) ?? [];
  const start = firstAfter(rows, from);
  let end = start;
  for (let bytes = 0; end < rows.length && end - start < Limit && bytes < maxBytes; end += 1)
    bytes += (rows[end]?.json.length ?? 0) * bytesPerJson;
  const last = end < rows.length ? rows[end - 1] : undefined;
  const next = last ? `,"LastEvaluatedKey":${JSON.stringify(marshall({ pk, sk: last.sk }))}` : "";
  const count = `"Count":${end - start},"ScannedCount":${end - start}`;
  if (Select === "COUNT") return `{${count}${next}}`;
  const items = rows.slice(start, end).map(({ json }) => json);
  return `{${count},"Items":[${items.join(",")}]${next}}`;
}

/** Returns the index of the first row whose sort key is above. */
function firstAfter(rows: readonly Row[], sk: string): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.sk ?? "") > sk) high = middle;
    else low = middle + 1;
  }
  return low;
}

const server = createServer((request, response) => {
  text(request)
    .then((sent) => {
      const body = Body.parse(JSON.parse(sent));
      const operation = String(request.headers["x-amz-target"]).split(".")[1];
      const key = body.Key && keyName({ pk: body.Key.pk.S, sk: body.Key.sk.S });
      const found = operation === "Query" ? query(body) : ((key && single.get(key)) ?? "{}");
      response.writeHead(200, { "content-type": "application/x-amz-json-1.0" }).end(found);
    })
    .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  console.log(typeof address === "object" && address ? address.port : 0);
});
