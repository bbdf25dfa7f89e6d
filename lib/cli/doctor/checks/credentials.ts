import { awsErrorKind } from "../../../aws/errors.ts";
import { whatWentWrong } from "../../invocation/exit.ts";
import { anError, type Finding } from "../findings/finding.ts";

const setCredentials =
  "set working credentials: AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; `aws sts get-caller-identity` must succeed";

/** Checks what STS said of the credentials. If AWS cannot be reached, no command works, and that is an error, too. */
export function credentialsFindings(who: { readonly caller: unknown } | { readonly error: unknown }): readonly Finding[] {
  if (!("error" in who)) return [];
  const { error } = who;
  const why = whatWentWrong(error);
  const isAbsent = error instanceof Error && error.name === "CredentialsProviderError";
  if (isAbsent || awsErrorKind(error) === "denied")
    return [anError("credentials.refused", `the credentials do not work: ${why}`, setCredentials)];
  const mend = "check the region, the network and the proxy of this machine; `aws sts get-caller-identity` must succeed";
  return [anError("credentials.unreachable", `AWS cannot be reached: ${why}`, mend)];
}

/** Checks that the account of the credentials is the one that the deployment is in. */
export function accountFindings(account: string, deploymentArn: string): readonly Finding[] {
  const [, , , , owner = ""] = deploymentArn.split(":");
  if (owner === "" || owner === account) return [];
  return [
    anError(
      "credentials.account",
      `the credentials are for the account ${account}, and the deployment is in the account ${owner}`,
      `use credentials of the account ${owner}: set AWS_PROFILE`,
    ),
  ];
}
