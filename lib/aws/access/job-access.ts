import { createHash } from "node:crypto";
import { AssumeRoleCommand, type STSClient } from "@aws-sdk/client-sts";
import { Fault } from "../../model/fault.ts";
import type { AttemptRef } from "../../model/job.ts";
import type { JobAccess } from "../../ports/job-access.ts";

/** All that a role may give to a caller who is a role itself. */
const durationSeconds = 3600;

/** One role for all jobs; its policies reach only what the session's tags name. */
export const stsJobAccess = (sts: Pick<STSClient, "send">, roleArn: string): JobAccess => ({
  async credentials(attempt) {
    const { Credentials: given } = await sts.send(
      new AssumeRoleCommand({
        RoleArn: roleArn,
        RoleSessionName: sessionName(attempt),
        DurationSeconds: durationSeconds,
        Tags: [
          { Key: "team", Value: attempt.team },
          { Key: "job", Value: attempt.job },
          { Key: "attempt", Value: `${attempt.attempt}` },
        ],
      }),
    );
    if (!given?.AccessKeyId || !given.SecretAccessKey || !given.SessionToken || !given.Expiration) {
      throw new Fault("credentials", "STS answered without credentials", { retry: true });
    }
    return {
      accessKeyId: given.AccessKeyId,
      secretAccessKey: given.SecretAccessKey,
      sessionToken: given.SessionToken,
      expiresAtMs: given.Expiration.getTime(),
    };
  },
});

/** STS takes so many characters, of those that teams' and jobs' names are made of. */
const longestName = 64;

/** What CloudTrail shows: `TEAM.JOB.ATTEMPT`, and of a long one the beginning and a hash that tells it from its like. */
export function sessionName({ team, job, attempt }: AttemptRef): string {
  const whole = `${team}.${job}.${attempt}`;
  if (whole.length <= longestName) return whole;
  const hash = createHash("sha256").update(whole).digest("hex").slice(0, 16);
  return `${whole.slice(0, longestName - 17)}-${hash}`;
}
