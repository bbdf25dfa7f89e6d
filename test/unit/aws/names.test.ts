import { expect, test } from "vitest";
import { sessionName } from "../../../lib/aws/access/job-access.ts";
import { decisionKey } from "../../../lib/aws/decisions/journal.ts";
import { usable } from "../../../lib/model/offer.ts";
import { monday } from "../../fakes/builders.ts";

test("a session's name is the attempt's, shortened to STS's limit and still unique", () => {
  expect(sessionName({ team: "vision", job: "train-1", attempt: 3 })).toBe("vision.train-1.3");
  const long = { team: `t${"x".repeat(29)}`, job: `j${"y".repeat(99)}`, attempt: 1 };
  const names = [sessionName(long), sessionName({ ...long, attempt: 2 }), sessionName({ ...long, job: `j${"y".repeat(98)}z` })];
  for (const name of names) expect(name).toMatch(/^[\w+=,.@-]{2,64}$/);
  expect(new Set(names).size).toBe(3);
});

test("a decision's key contains its pool, day and time", () => {
  expect(decisionKey({ pool: "gpu", atMs: monday + 61_005, id: "d-1" })).toBe("gpu/2026/06/01/000101.005Z-d-1.json.gz");
});

test("0.2 vCPU and 8 % of the memory of a type are kept for the host", () => {
  expect(usable({ vcpus: 4, memoryGiB: 100, gpus: 1 })).toEqual({ vcpus: 3.8, memoryGiB: 92, gpus: 1 });
  expect(usable({ vcpus: 0.1, memoryGiB: 0, gpus: 0 }).vcpus).toBe(0);
});
