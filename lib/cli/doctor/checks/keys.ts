import { anError, couldNotCheck, type Finding, type ReadFact } from "../findings/finding.ts";

/** The state of a team's key; `value` is undefined if there is none behind the alias. */
export type TeamKey = { readonly team: string; readonly alias: string; readonly state: ReadFact<string | undefined> };

/** Checks that each team's key can encrypt. */
export const keyFindings = (keys: readonly TeamKey[], region: string): readonly Finding[] =>
  keys.flatMap((key) => teamFindings(key, region));

function teamFindings({ team, alias, state }: TeamKey, region: string): readonly Finding[] {
  const what = `the key of team ${team}, ${alias},`;
  if ("unknown" in state) return [couldNotCheck("keys", `${what} ${state.unknown}`)];
  const id = `$(aws kms describe-key --key-id ${alias} --query KeyMetadata.KeyId --output text --region ${region}) --region ${region}`;
  const then = "so the team's results can neither be encrypted nor read";
  switch (state.value) {
    case "Enabled":
      return [];
    case undefined:
      return [anError("keys.missing", `${what} does not exist, ${then}`, "npx cdk deploy")];
    case "PendingDeletion":
      return [
        anError(
          "keys.deletion",
          `${what} is about to be deleted, ${then}`,
          `aws kms cancel-key-deletion --key-id ${id} && aws kms enable-key --key-id ${id}`,
        ),
      ];
    default:
      return [anError("keys.disabled", `${what} is in the state ${state.value}, ${then}`, `aws kms enable-key --key-id ${id}`)];
  }
}
