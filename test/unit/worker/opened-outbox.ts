import { OutboxPart, outboxContext, outboxKey } from "../../../events/outbox/outbox.ts";
import { partsOf } from "../../../events/outbox/parts.ts";
import { opened, readSealHeader } from "../../../events/outbox/sealed.ts";
import { ByteSource } from "../../../lib/model/files/byte-source.ts";

const node = "i-0123456789abcdef0";
const dataKey = Buffer.alloc(32, 9);
type Ref = { readonly team: string; readonly job: string; readonly attempt: number };

/** Returns what an order says about the outbox of an attempt. */
export const outboxOrder = (ref: Ref) => ({
  bucket: "incoming",
  key: outboxKey({ role: "AROAINSTANCEROLE", node, ...ref }),
  dataKey: dataKey.toString("base64"),
  wrappedKey: Buffer.from("wrapped").toString("base64"),
});

/** Returns the parts of a sealed outbox with their bodies, as whoever has its data key can read them. */
export async function openedOutbox(object: Buffer, ref: Ref): Promise<readonly { readonly head: OutboxPart; readonly body: Buffer }[]> {
  const source = new ByteSource(
    (async function* () {
      yield object;
    })(),
  );
  const { salt, wrappedKey } = await readSealHeader(source);
  if (wrappedKey.toString() !== "wrapped") throw new Error("another wrapped key");
  const parts: { head: OutboxPart; body: Buffer }[] = [];
  for await (const { head, body } of partsOf(opened({ dataKey, salt, context: outboxContext({ node, ...ref }) }, source))) {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    parts.push({ head: OutboxPart.parse(head), body: Buffer.concat(chunks) });
  }
  return parts;
}
