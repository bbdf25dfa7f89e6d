import { anError, type Finding } from "../findings/finding.ts";

/** The parameter in which CDK's bootstrap stack says its version. CDK's default qualifier is part of its name. */
export const bootstrapParameter = "/cdk-bootstrap/hnb659fds/version";
/** The template's own rule, CheckBootstrapVersion, refuses older ones. */
const leastVersion = 6;

/** Checks that the account and region are bootstrapped for CDK. `version`: the parameter's value; undefined if there is none. */
export function bootstrapFindings(version: string | undefined, at: { account: string; region: string }): readonly Finding[] {
  const mend = `npx cdk bootstrap aws://${at.account}/${at.region}`;
  if (version === undefined) return [anError("bootstrap.missing", `${at.region} is not bootstrapped for CDK in this account`, mend)];
  if (Number(version) >= leastVersion) return [];
  return [anError("bootstrap.old", `the bootstrap stack has version ${version}, and ${leastVersion} or later is needed`, mend)];
}
