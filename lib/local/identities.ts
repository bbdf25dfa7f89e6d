/** Who may sign a call in the local cloud: a role and the name of its session (an instance's is its id). */
export type Principal = { readonly role: string; readonly session: string };

export type IssuedCredentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresAtMs: number;
};

/** Credentials that the local cloud has handed out, so that it can tell later who signed. */
export type Identities = {
  issue(principal: Principal): IssuedCredentials;
  /** Undefined for an access key that was never issued here. */
  find(accessKeyId: string): { readonly principal: Principal; readonly credentials: IssuedCredentials } | undefined;
};
