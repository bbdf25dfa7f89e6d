import { teamRole } from "../../model/deployment.ts";

/** Who signed a call, as Lambda tells it of a function URL with IAM authorization. */
export type Caller = {
  readonly arn: string;
  /** Of the principal that signed. */
  readonly account: string;
  /** Of the function. */
  readonly owner: string;
};

/** For whom a caller may speak. `nobody`: its signature is good, and yet it has no say here. */
export type Speaker = { readonly kind: "team"; readonly team: string } | { readonly kind: "admin" } | { readonly kind: "nobody" };

/** The role that a session has taken, and the session's name; undefined for a user, or the account's root. */
export function sessionOf(arn: string): { readonly role: string; readonly session: string } | undefined {
  const [, role, session] = /^arn:[^:]+:sts::\d+:assumed-role\/([^/]+)\/([^/]+)$/.exec(arn) ?? [];
  return role && session ? { role, session } : undefined;
}

/**
 * Everybody else whom the account's IAM lets call the URL is an admin. A role that looks like a team's and is none of this
 * deployment's speaks for nobody: a team that was taken out of the configuration must not become an admin.
 */
export function speakerOf(caller: Caller, fleet: { readonly name: string; readonly teams: readonly string[] }): Speaker {
  if (caller.account !== caller.owner) return { kind: "nobody" };
  const role = sessionOf(caller.arn)?.role;
  if (!role?.startsWith(teamRole(fleet.name, ""))) return { kind: "admin" };
  const team = fleet.teams.find((name) => teamRole(fleet.name, name) === role);
  return team === undefined ? { kind: "nobody" } : { kind: "team", team };
}

export const maySpeakFor = (speaker: Speaker, team: string): boolean =>
  speaker.kind === "admin" || (speaker.kind === "team" && speaker.team === team);
