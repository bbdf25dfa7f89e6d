import * as z from "zod";
import type { OutboxRef } from "../../lib/model/job.ts";
import { ArtifactPath, ObjectCreated } from "../artifacts/upload.ts";
import { JobId, TeamName } from "../names.ts";
import { AttemptReport } from "../node-call.ts";

/**
 * The outbox of an attempt: how it ended and what it left, which its node leaves on S3 if it ends while its calls get no response. It is an object
 * `islands/ROLE:INSTANCE/TEAM/JOB/ATTEMPT.sealed` in the incoming bucket. IAM lets an instance write only below its own user id, so the key
 * proves which instance wrote it. All else about it is outside input.
 */
/** No team can have this name, because its uploads would be among the outboxes. */
export const outboxFolder = "islands";

export const outboxKey = ({ role, node, team, job, attempt }: OutboxRef): string =>
  `${outboxFolder}/${role}:${node}/${team}/${job}/${attempt}.sealed`;

const pattern = /^islands\/(AROA[A-Z0-9]{10,124}):(i-[0-9a-f]{8,17})\/([^/]+)\/([^/]+)\/([1-9][0-9]{0,8})\.sealed$/;

/** Returns the outbox that has this key, or undefined if it is not the key of one. */
export function outboxOfKey(key: string): OutboxRef | undefined {
  const [, role, node, team, job, attempt] = pattern.exec(key) ?? [];
  if (role === undefined || node === undefined || !TeamName.safeParse(team).success || !JobId.safeParse(job).success) return undefined;
  return { role, node, team: team ?? "", job: job ?? "", attempt: Number(attempt) };
}

/** The most bytes of files and logs of an attempt that its outbox holds, so that it can be sent and taken in within minutes. */
export const maxOutboxBytes = 1024 ** 3;
/** The largest object that is opened. What is added to the files and logs is far smaller than the difference. */
export const sealedLimitBytes = maxOutboxBytes + 64 * 1024 ** 2;

/** What a data key is for. The policies of functions name it, so that they can use a team's key for nothing else. */
export const outboxPurpose = "outbox";

/** What KMS binds a data key to. */
export type OutboxContext = {
  readonly purpose: typeof outboxPurpose;
  readonly node: string;
  readonly team: string;
  readonly job: string;
  readonly attempt: string;
};

export const outboxContext = ({ node, team, job, attempt }: Omit<OutboxRef, "role">): OutboxContext => ({
  purpose: outboxPurpose,
  node,
  team,
  job,
  attempt: `${attempt}`,
});

/** As in `SegmentFacts`, whose values are the texts of an object's metadata. */
const Facts = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().min(0),
  offset: z.int().min(0),
  last: z.boolean(),
});

/** The head of each part of an outbox. The first part is an `end`, and the list of files follows the files. */
export const OutboxPart = z.discriminatedUnion("kind", [
  /** How the attempt ended, as its worker would report it: with `uploads` if anything follows. */
  z.strictObject({ kind: z.literal("end"), version: z.literal(1), process: z.string().min(1).max(64), report: AttemptReport }),
  /** A part of the log of the attempt's member of that rank. */
  z.strictObject({ kind: z.literal("segment"), rank: z.int().min(0).max(999_999), number: z.int().min(0).max(999_999), facts: Facts }),
  z.strictObject({ kind: z.literal("file"), path: ArtifactPath }),
  /** The attempt's manifest. */
  z.strictObject({ kind: z.literal("manifest") }),
]);
export type OutboxPart = z.infer<typeof OutboxPart>;

/**
 * Returns the key of the object that a message is about, and the outbox that has this key; undefined if it is about no object. An instance may
 * write any key below its own user id, also such as no outbox has.
 */
export function outboxToTake(message: unknown): { readonly outbox?: OutboxRef | undefined; readonly key: string } | undefined {
  const created = ObjectCreated.safeParse(message);
  if (!created.success) return undefined;
  const { key } = created.data.detail.object;
  return { key, outbox: outboxOfKey(key) };
}
