import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { Header } from "tar";
import { beforeAll, describe, expect, it } from "vitest";
import { type Stage, shell } from "../stage.ts";

/** Tests of messages and archives that a team may send by mistake. */
export function badInputTests(on: () => Stage): void {
  let stage: Stage;
  beforeAll(() => {
    stage = on();
  });

  describe("messages that a team may send by mistake", () => {
    it.each([
      ["not JSON", '{"command": ["true"]', /not JSON/],
      ["a JSON text that is not an object", '"train"', /expected an object/],
      ["a field that does not exist", { command: ["true"], gpu: 1 }, /gpu/],
      ["no command", {}, /command/],
      ["9 GPUs of a type that has 8", { command: ["true"], gpus: 9 }, /9 GPUs; the largest, .+, has 8/],
      ["a pool that does not exist", { command: ["true"], pool: "tpu" }, /no pool named tpu; it can use: gpu/],
      ["a container in a pool without containers", { image: "pytorch" }, /not containers/],
      [
        "a spec over 32 KiB",
        { command: ["true"], env: { LONG: "x".repeat(16_000), LONGER: "x".repeat(16_384), A: "x".repeat(500) } },
        /32768 are allowed/,
      ],
      ["a message of 1 MiB", `{"command":["true"],"env":{"X":"${"x".repeat(1024 * 1024 - 200)}"}}`, /32768 are allowed/],
    ])("%s is rejected with a reason", async (_what, body, reason) => {
      const job = await stage.ended(await stage.send(body));
      expect(job.state).toBe("rejected");
      expect(job.reason).toMatch(reason);
    });

    it("an invalid message does not affect the rest of its batch", async () => {
      const bodies = [shell("true", { id: "good-1" }), "}{", shell("true", { id: "good-2" }), { command: 7 }];
      const ids = await Promise.all(bodies.map((body) => stage.send(body)));
      const states = await Promise.all(ids.map(async (id) => (await stage.ended(id)).state));
      expect(states).toEqual(["succeeded", "rejected", "succeeded", "rejected"]);
    });

    it("the same message sent twice is one job", async () => {
      const body = shell("true", { id: "twice" });
      await stage.send(body);
      await stage.send(body);
      await stage.ended("twice");
      const { jobs } = await stage.connection.jobs.list({ team: "research", limit: 100 });
      expect(jobs.filter((job) => job.job === "twice" || job.reason?.includes("twice"))).toHaveLength(1);
    });

    it("another body under a used id is refused, and the first job is kept", async () => {
      await stage.send(shell("true", { id: "taken" }));
      await stage.ended("taken");
      const { messageId } = await stage.connection.queue.send("research", JSON.stringify(shell("false", { id: "taken" })));
      const refused = await stage.ended(messageId);
      expect(refused).toMatchObject({ state: "rejected", reason: expect.stringContaining("already names another job") });
      expect(await stage.ended("taken")).toMatchObject({ state: "succeeded" });
    });
  });

  describe("code archives", () => {
    const upload = async (key: string, body: Buffer): Promise<string> => {
      await stage.s3.send(new PutObjectCommand({ Bucket: stage.connection.deployment.codeBucket, Key: key, Body: body }));
      return `s3://${stage.connection.deployment.codeBucket}/${key}`;
    };
    const failed = async (id: string, s3: string) => stage.ended(await stage.send(shell("true", { id, code: { s3 } })));

    it("a missing code archive fails the job, and the reason names it", async () => {
      const s3 = `s3://${stage.connection.deployment.codeBucket}/research/missing.tar.gz`;
      const job = await failed("code-missing", s3);
      expect(job.state).toBe("failed");
      expect(job.reason).toContain(s3);
    });

    it("a code archive that is not an archive fails the job", async () => {
      const job = await failed("code-garbage", await upload("research/garbage.tar.gz", Buffer.from("this is not an archive")));
      expect(job).toMatchObject({ state: "failed", attempt: 1 });
    });

    it("a huge code archive fails the job before it fills the disk", async () => {
      const bomb = await upload("research/huge.tar.gz", tarOf("zeros", "0", 21 * 1024 ** 3));
      const job = await failed("code-huge", bomb);
      expect(job).toMatchObject({ state: "failed", attempt: 1, reason: expect.stringMatching(/unpacks to more than/) });
    });

    it("a code archive that would write outside its folder fails the job, and nothing is written", async () => {
      const outside = await mkdtemp(join(tmpdir(), "fleetwright-outside-"));
      try {
        const target = join(outside, "planted");
        const job = await failed(
          "code-traversal",
          await upload("research/traversal.tar.gz", tarOf(`../../../../../../../../..${target}`, "gotcha")),
        );
        expect(job).toMatchObject({ state: "failed", attempt: 1 });
        await expect(writeFile(target, "", { flag: "wx" })).resolves.toBeUndefined();
      } finally {
        await rm(outside, { recursive: true });
      }
    });
  });
}

/** Returns a .tar.gz with one file whose path or claimed size no honest packer would write. */
function tarOf(path: string, content: string, size = Buffer.byteLength(content)): Buffer {
  const body = Buffer.from(content);
  const header = new Header({ path, mode: 0o644, size, type: "File", mtime: new Date(0) });
  const block = Buffer.alloc(512);
  header.encode(block, 0);
  return gzipSync(Buffer.concat([block, body, Buffer.alloc(512 - body.length), Buffer.alloc(1024)]));
}
