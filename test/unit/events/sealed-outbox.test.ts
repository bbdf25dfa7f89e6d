import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type OutboxContext, outboxContext, outboxKey, outboxOfKey } from "../../../events/outbox/outbox.ts";
import { type OutboxPartBody, partBytes, partsOf } from "../../../events/outbox/parts.ts";
import { opened, readSealHeader, sealed, sealHeader } from "../../../events/outbox/sealed.ts";
import { ByteSource } from "../../../lib/model/files/byte-source.ts";

const ref = { role: "AROAABCDEFGHIJKLMNOP", node: "i-0123456789abcdef0", team: "vision", job: "train-1", attempt: 3 };
const context = outboxContext(ref);
const dataKey = Buffer.alloc(32, 7);
const wrappedKey = Buffer.from("wrapped");
const frame = 256 * 1024 + 16;

const each = async function* (...chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
};
async function all(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const found: Buffer[] = [];
  for await (const chunk of chunks) found.push(chunk);
  return Buffer.concat(found);
}
const seal = async (plain: Buffer, salt = Buffer.alloc(32, 1)): Promise<Buffer> =>
  Buffer.concat([
    sealHeader({ wrappedKey, salt }),
    await all(sealed({ dataKey, salt, context }, each(plain.subarray(0, 10), plain.subarray(10)))),
  ]);
async function open(object: Buffer, over: { dataKey?: Buffer; context?: OutboxContext } = {}): Promise<Buffer> {
  const source = new ByteSource(each(object));
  const { salt } = await readSealHeader(source);
  return all(opened({ dataKey, context, salt, ...over }, source));
}
const headerBytes = sealHeader({ wrappedKey, salt: Buffer.alloc(32) }).length;

describe("a sealed outbox", () => {
  test.each([0, 1, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 1_000_000])("%i bytes are opened as they were sealed", async (bytes) => {
    const plain = randomBytes(bytes);
    const object = await seal(plain);
    expect((await open(object)).equals(plain)).toBe(true);
    expect(object.subarray(headerBytes).length).toBe(bytes + 16 * Math.max(1, Math.ceil(bytes / (256 * 1024))));
  });

  test("the wrapped key is beside the ciphertext, so that nothing else must be stored to open it", async () => {
    const header = await readSealHeader(new ByteSource(each(await seal(randomBytes(10)))));
    expect(header.wrappedKey).toEqual(wrappedKey);
  });

  test("an object with any changed bit, with frames left out, repeated, in another order or cut off is refused", async () => {
    const object = await seal(randomBytes(600_000));
    const body = object.subarray(headerBytes);
    const frames = [body.subarray(0, frame), body.subarray(frame, 2 * frame), body.subarray(2 * frame)];
    const of = (...numbers: number[]) =>
      Buffer.concat([object.subarray(0, headerBytes), ...numbers.map((n) => frames[n] ?? Buffer.alloc(0))]);
    expect((await open(of(0, 1, 2))).length).toBe(600_000);
    for (const wrong of [of(0, 1), of(0), of(), of(0, 2), of(1, 0, 2), of(0, 1, 1, 2), of(0, 1, 2, 2)])
      await expect(open(wrong)).rejects.toMatchObject({ code: "outbox", retry: false });
    for (const at of [headerBytes - 1, headerBytes, object.length - 1, headerBytes + frame + 5]) {
      const changed = Buffer.from(object);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(open(changed)).rejects.toMatchObject({ code: "outbox" });
    }
  });

  test("an outbox of another attempt or node, or under another key, cannot be opened", async () => {
    const object = await seal(Buffer.from("result"));
    for (const other of [{ attempt: 4 }, { job: "train-2" }, { team: "research" }, { node: "i-0123456789abcdef1" }])
      await expect(open(object, { context: outboxContext({ ...ref, ...other }) })).rejects.toMatchObject({ code: "outbox" });
    await expect(open(object, { dataKey: Buffer.alloc(32, 8) })).rejects.toMatchObject({ code: "outbox" });
    await expect(open(object, { dataKey: Buffer.alloc(16, 7) })).rejects.toMatchObject({ code: "outbox" });
  });

  test("two objects under one data key share no key, because each has a salt of its own", async () => {
    const plain = Buffer.alloc(1_000);
    const [one, two] = [await seal(plain), await seal(plain, Buffer.alloc(32, 2))];
    expect(one.subarray(headerBytes, headerBytes + 100)).not.toEqual(two.subarray(headerBytes, headerBytes + 100));
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["another file", Buffer.from("PK\u0003\u0004 is not an outbox at all")],
    ["an endless wrapped key", Buffer.concat([Buffer.from("FWOUTBX1"), Buffer.from([0xff, 0xff]), Buffer.alloc(70_000)])],
    ["half a header", sealHeader({ wrappedKey, salt: Buffer.alloc(32) }).subarray(0, 20)],
  ])("%s is refused as an outbox", async (_what, object) => {
    await expect(open(object)).rejects.toMatchObject({ code: "outbox", retry: false });
  });
});

describe("the parts of an outbox", () => {
  const report = { team: "vision", job: "train-1", attempt: 3, phase: "exited", startedAtMs: 5, exitCode: 0, uploads: true } as const;
  const end = { head: { kind: "end", version: 1, process: "p", report }, body: each() } satisfies OutboxPartBody;
  const read = async (bytes: Buffer, skips: readonly string[] = []) => {
    const found: unknown[] = [];
    for await (const { head, body } of partsOf(each(bytes)))
      found.push([head, skips.includes(head.kind) ? "" : (await all(body)).toString()]);
    return found;
  };

  test("parts are read as they were written, and a body that is not read is skipped", async () => {
    const file = { kind: "file", path: "out/model.pt" } as const;
    const bytes = async () =>
      Buffer.concat([
        await all(partBytes({ ...end, body: each() })),
        await all(partBytes({ head: file, body: each(Buffer.from("wei"), Buffer.from("ghts")) })),
        await all(partBytes({ head: { kind: "manifest" }, body: each(Buffer.from("{}")) })),
      ]);
    expect(await read(await bytes())).toEqual([
      [end.head, ""],
      [file, "weights"],
      [{ kind: "manifest" }, "{}"],
    ]);
    expect(await read(await bytes(), ["file"])).toEqual([
      [end.head, ""],
      [file, ""],
      [{ kind: "manifest" }, "{}"],
    ]);
  });

  test("a path that leads out of the working directory, an unknown part, a huge head and a part that is cut off are refused", async () => {
    const head = (value: unknown) => {
      const json = Buffer.from(JSON.stringify(value));
      const length = Buffer.alloc(4);
      length.writeUInt32BE(json.length);
      return Buffer.concat([length, json, Buffer.alloc(4)]);
    };
    for (const path of ["../x", "/etc/passwd", "a//b", "a/./b", "", "a\\b"])
      await expect(read(head({ kind: "file", path }))).rejects.toMatchObject({ code: "outbox", retry: false });
    await expect(read(head({ kind: "order" }))).rejects.toMatchObject({ code: "outbox" });
    await expect(read(head({ kind: "manifest", more: "x".repeat(20_000) }))).rejects.toMatchObject({ code: "outbox" });
    const whole = await all(partBytes({ head: { kind: "file", path: "a" }, body: each(Buffer.from("abc")) }));
    for (const length of [2, 10, whole.length - 5, whole.length - 1])
      await expect(read(whole.subarray(0, length))).rejects.toMatchObject({ code: "outbox" });
  });
});

describe("the key of an outbox", () => {
  test("a key names the role, the node and the attempt", () => {
    expect(outboxKey(ref)).toBe("islands/AROAABCDEFGHIJKLMNOP:i-0123456789abcdef0/vision/train-1/3.sealed");
    expect(outboxOfKey(outboxKey(ref))).toEqual(ref);
  });

  test.each([
    "islands/AROAABCDEFGHIJKLMNOP:someone/vision/train-1/3.sealed",
    "islands/AIDAABCDEFGHIJKLMNOP:i-0123456789abcdef0/vision/train-1/3.sealed",
    "islands/AROAABCDEFGHIJKLMNOP:i-0123456789abcdef0/Vision/train-1/3.sealed",
    "islands/AROAABCDEFGHIJKLMNOP:i-0123456789abcdef0/vision/../3.sealed",
    "islands/AROAABCDEFGHIJKLMNOP:i-0123456789abcdef0/vision/train-1/03.sealed",
    "islands/AROAABCDEFGHIJKLMNOP:i-0123456789abcdef0/vision/train-1/x/3.sealed",
    "vision/islands/AROAABCDEFGHIJKLMNOP:i-0123456789abcdef0/vision/train-1/3.sealed",
  ])("%s is not the key of an outbox", (key) => {
    expect(outboxOfKey(key)).toBeUndefined();
  });
});
