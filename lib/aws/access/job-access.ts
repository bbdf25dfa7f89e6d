import { createHash } from "node:crypto";
import { AssumeRoleCommand, type STSClient } from "@aws-sdk/client-sts";
import { FleetError } from "../../model/fleet-error.ts";
import type { AttemptRef } from "../../model/job.ts";
import type { JobAccess } from "../../ports/job-access.ts";

/** The longest session that STS allows if the caller is itself a role. */
const durationSeconds = 3600;

/** Assumes one role for all jobs. Its policies allow only what the session's tags name. */
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
      throw new FleetError("credentials", "STS returned no credentials", { retry: true });
    }
    return {
      accessKeyId: given.AccessKeyId,
      secretAccessKey: given.SecretAccessKey,
      sessionToken: given.SessionToken,
      expiresAtMs: given.Expiration.getTime(),
    };
  },
});

/** STS's limit, in characters. It accepts all characters of teams' and jobs' names. */
const longestName = 64;

/** Returns the session's name for CloudTrail: `TEAM.JOB.ATTEMPT`, or the beginning of it and a unique hash if it is too long. */
export function sessionName({ team, job, attempt }: AttemptRef): string {
  const whole = `${team}.${job}.${attempt}`;
  if (whole.length <= longestName) return whole;
  const hash = createHash("sha256").update(whole).digest("hex").slice(0, 16);
  return `${whole.slice(0, longestName - 17)}-${hash}`;
}
