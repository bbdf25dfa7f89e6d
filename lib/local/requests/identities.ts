import { createHash, randomBytes } from "node:crypto";

/** A signer of calls in the local cloud: a role and its session's name. The session of an instance has the instance's id. */
export type Principal = {
  readonly role: string;
  readonly session: string;
  /** The session's tags; undefined for none. */
  readonly tags?: Readonly<Record<string, string>>;
  /** The policy that limits the session, as JSON; undefined for none. */
  readonly policy?: string;
};

export type IssuedCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Empty for long-lived credentials. */
  readonly sessionToken: string;
  readonly expiresAtMs: number;
};

/** The person who runs the local cloud, who may do everything. */
export const administrator: Principal = { role: "administrator", session: "local" };

/** Fixed credentials of the administrator, for callers in other processes such as the `fleet` command. */
export const wellKnown: IssuedCredentials = {
  accessKeyId: "local",
  secretAccessKey: "local",
  sessionToken: "",
  expiresAtMs: Number.POSITIVE_INFINITY,
};

/** The credentials that the local cloud has issued, so that it can identify later who signed a call. */
export type Identities = {
  issue(principal: Principal): IssuedCredentials;
  /** Records credentials that the emulated STS has issued. */
  adopt(principal: Principal, credentials: IssuedCredentials): void;
  /** Returns the owner of an access key, or undefined if the key was never issued here and is not the well-known one. */
  find(accessKeyId: string): { readonly principal: Principal; readonly credentials: IssuedCredentials } | undefined;
};

/** The alphabet of AWS's ids. Ids and tokens have AWS's shapes, so that code that validates them accepts them. */
const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const inBase32 = (bytes: Uint8Array): string => Array.from(bytes, (byte) => base32[byte % 32]).join("");

/** Returns a role's unique id, as in a caller's user id `AROA…:SESSION`. */
export const roleId = (role: string): string => `AROA${inBase32(createHash("sha256").update(role).digest().subarray(0, 17))}`;

/** Returns the ARNs of a principal's role and session, and its user id, in the forms that AWS reports. */
export const roleArn = (role: string, account: string): string => `arn:aws:iam::${account}:role/${role}`;
export const sessionArn = ({ role, session }: Pick<Principal, "role" | "session">, account: string): string =>
  `arn:aws:sts::${account}:assumed-role/${role}/${session}`;
export const userId = ({ role, session }: Pick<Principal, "role" | "session">): string => `${roleId(role)}:${session}`;

export type IdentitiesOptions = {
  now?: () => number;
  /** @default 6 hours, the longest lifetime of the credentials that EC2 and Lambda issue */
  readonly lifetimeMs?: number;
  /** Called with all credentials that are issued. */
  onIssue?: (principal: Principal, credentials: IssuedCredentials) => void;
};

const rememberedMs = 3_600_000;

/** Creates a register of credentials. It forgets credentials an hour after they have expired. */
export function createIdentities(options: IdentitiesOptions = {}): Identities {
  const { now = Date.now, lifetimeMs = 6 * 3_600_000, onIssue } = options;
  const issued = new Map<string, { readonly principal: Principal; readonly credentials: IssuedCredentials }>([
    [wellKnown.accessKeyId, { principal: administrator, credentials: wellKnown }],
  ]);
  const forgetExpired = (): void => {
    // For a while, AWS still says that they have expired, and not that it does not know them.
    for (const [key, { credentials }] of issued) if (credentials.expiresAtMs + rememberedMs <= now()) issued.delete(key);
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
