import { expect, test } from "vitest";
import { maxRememberedMs, rememberedAccess } from "../../../lib/aws/access/remembered-access.ts";
import type { AttemptRef } from "../../../lib/model/job.ts";
import { monday } from "../../fakes/builders.ts";

const attempt = (job: string): AttemptRef => ({ team: "vision", job, attempt: 1 });

/** Credentials that are numbered, so that a test sees which are new. */
function numbered() {
  let nowMs = monday;
  let calls = 0;
  let down = false;
  const access = rememberedAccess(
    {
      credentials: async () => {
        calls += 1;
        if (down) throw new Error("STS does not respond");
        return { accessKeyId: `key-${calls}`, secretAccessKey: "s", sessionToken: "t", expiresAtMs: nowMs + 3_600_000 };
      },
    },
    () => nowMs,
  );
  const keyOf = async (job: string): Promise<string> => (await access.credentials(attempt(job))).accessKeyId;
  return { keyOf, pass: (ms: number) => (nowMs += ms), calls: () => calls, fail: (fails: boolean) => (down = fails) };
}

test("an attempt gets new credentials at most once a minute, however often and however many at once ask for them", async () => {
  const { keyOf, pass, calls } = numbered();
  expect(await Promise.all(Array.from({ length: 500 }, () => keyOf("a")))).toEqual(Array.from({ length: 500 }, () => "key-1"));
  expect(await keyOf("b")).toBe("key-2");
  pass(maxRememberedMs - 1);
  expect(await keyOf("a")).toBe("key-1");
  pass(1);
  expect(await keyOf("a")).toBe("key-3");
  expect(calls()).toBe(3);
});

test("credentials that could not be had are asked for again", async () => {
  const { keyOf, fail } = numbered();
  fail(true);
  await expect(Promise.all([keyOf("a"), keyOf("a")])).rejects.toThrow("STS");
  fail(false);
  expect(await keyOf("a")).toBe("key-2");
});

test("the credentials of the attempts that asked last are remembered, so that memory stays bounded", async () => {
  const { keyOf } = numbered();
  for (let n = 0; n <= 5_000; n += 1) await keyOf(`job-${n}`);
  expect(await keyOf("job-5000")).toBe("key-5001");
  expect(await keyOf("job-1")).toBe("key-2");
  expect(await keyOf("job-0")).toBe("key-5002");
});
