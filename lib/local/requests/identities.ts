import { createHash, randomBytes } from "node:crypto";

/** Who may sign a call in the local cloud: a role and the name of its session (an instance's is its id). */
export type Principal = { readonly role: string; readonly session: string };

export type IssuedCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Empty for long-lived credentials. */
  readonly sessionToken: string;
  readonly expiresAtMs: number;
};

/** Who runs the local cloud; may do everything. */
export const administrator: Principal = { role: "administrator", session: "local" };

/** How the administrator signs who was given no credentials: the `fleet` command, from a process of its own. */
export const wellKnown: IssuedCredentials = {
  accessKeyId: "local",
  secretAccessKey: "local",
  sessionToken: "",
  expiresAtMs: Number.POSITIVE_INFINITY,
};

/** Credentials that the local cloud has handed out, so that it can tell later who signed. */
export type Identities = {
  issue(principal: Principal): IssuedCredentials;
  /** Credentials that the emulated STS has handed out. */
  adopt(principal: Principal, credentials: IssuedCredentials): void;
  /** Undefined for an access key that was never issued here and is not the well-known one. */
  find(accessKeyId: string): { readonly principal: Principal; readonly credentials: IssuedCredentials } | undefined;
};

/** Accounts, ids and tokens have AWS's shapes, so that nothing that checks them can tell the difference. */
const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const inBase32 = (bytes: Uint8Array): string => Array.from(bytes, (byte) => base32[byte % 32]).join("");

/** A role's own id, as in a caller's user id `AROA…:SESSION`. */
export const roleId = (role: string): string => `AROA${inBase32(createHash("sha256").update(role).digest().subarray(0, 17))}`;

export type IdentitiesOptions = {
  now?: () => number;
  /** @default 6 hours, the longest that EC2 and Lambda hand out */
  readonly lifetimeMs?: number;
  /** Told of all credentials that are handed out. */
  onIssue?: (principal: Principal, credentials: IssuedCredentials) => void;
};

/** Credentials are forgotten when they expire. */
export function createIdentities(options: IdentitiesOptions = {}): Identities {
  const { now = Date.now, lifetimeMs = 6 * 3_600_000, onIssue } = options;
  const issued = new Map<string, { readonly principal: Principal; readonly credentials: IssuedCredentials }>([
    [wellKnown.accessKeyId, { principal: administrator, credentials: wellKnown }],
  ]);
  const forgetExpired = (): void => {
    for (const [key, { credentials }] of issued) if (credentials.expiresAtMs <= now()) issued.delete(key);
  };
  return {
    issue: (principal) => {
      forgetExpired();
      const credentials = {
        accessKeyId: `ASIA${inBase32(randomBytes(16))}`,
        secretAccessKey: randomBytes(30).toString("base64"),
        sessionToken: randomBytes(96).toString("base64"),
        expiresAtMs: now() + lifetimeMs,
      };
      issued.set(credentials.accessKeyId, { principal, credentials });
      onIssue?.(principal, credentials);
      return credentials;
    },
    adopt: (principal, credentials) => {
      forgetExpired();
      issued.set(credentials.accessKeyId, { principal, credentials });
    },
    find: (accessKeyId) => issued.get(accessKeyId),
  };
}
