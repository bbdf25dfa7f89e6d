import { teamRole, teamRolePrefix } from "../../model/deployment.ts";

/** The signer of a call, as Lambda reports it for a function URL with IAM authorization. */
export type SigningPrincipal = {
  readonly arn: string;
  /** The account of the principal that signed. */
  readonly account: string;
  /** The account of the function. */
  readonly owner: string;
};

/** The team that a caller may act for. An admin may act for all teams, and `nobody` for none despite a valid signature. */
export type Speaker = { readonly kind: "team"; readonly team: string } | { readonly kind: "admin" } | { readonly kind: "nobody" };

/** Returns the assumed role and the name of its session, or undefined for a user or the account's root. */
export function sessionOf(arn: string): { readonly role: string; readonly session: string } | undefined {
  const [, role, session] = /^arn:[^:]+:sts::\d+:assumed-role\/([^/]+)\/([^/]+)$/.exec(arn) ?? [];
  return role && session ? { role, session } : undefined;
}

/**
 * Returns the team that a caller may act for. A caller of this account without a team's role is an admin, because the account's
 * IAM admitted it. A role with a team's prefix but of no configured team may act for none, because a team that was removed from the
 * configuration, or that of a deployment in another region, must not become an admin.
 */
export function speakerOf(
  caller: SigningPrincipal,
  fleet: { readonly name: string; readonly region: string; readonly teams: readonly string[] },
): Speaker {
  if (caller.account !== caller.owner) return { kind: "nobody" };
  const role = sessionOf(caller.arn)?.role;
  if (!role?.startsWith(teamRolePrefix(fleet.name))) return { kind: "admin" };
  const team = fleet.teams.find((name) => teamRole(fleet, name) === role);
  return team === undefined ? { kind: "nobody" } : { kind: "team", team };
}

export const maySpeakFor = (speaker: Speaker, team: string): boolean =>
  speaker.kind === "admin" || (speaker.kind === "team" && speaker.team === team);
