import { expect, it } from "vitest";
import { administrator, createIdentities, type IssuedCredentials, roleId } from "../../../lib/local/requests/identities.ts";

const hourMs = 3_600_000;
const principal = { role: "instance", session: "i-1" };

function stage() {
  const clock = { nowMs: 1_000 };
  const issued: unknown[] = [];
  const identities = createIdentities({ now: () => clock.nowMs, onIssue: (...given) => void issued.push(given) });
  return { clock, issued, identities };
}

it("credentials have the shapes of AWS's, are valid for six hours, and are announced", () => {
  const { issued, identities } = stage();
  const credentials = identities.issue(principal);
  expect(credentials).toEqual({
    accessKeyId: expect.stringMatching(/^ASIA[A-Z2-7]{16}$/),
    secretAccessKey: expect.stringMatching(/^[A-Za-z0-9+/]{40}$/),
    sessionToken: expect.stringMatching(/^[A-Za-z0-9+/]{128}$/),
    expiresAtMs: 1_000 + 6 * hourMs,
  });
  expect(issued).toEqual([[principal, credentials]]);
  expect(identities.find(credentials.accessKeyId)).toEqual({ principal, credentials });
  expect(identities.issue(principal).accessKeyId).not.toBe(credentials.accessKeyId);
});

it("credentials that the emulated STS has issued are found, and are not announced again", () => {
  const { issued, identities } = stage();
  const credentials: IssuedCredentials = { accessKeyId: "ASIA1", secretAccessKey: "s", sessionToken: "t", expiresAtMs: 2_000 };
  identities.adopt(principal, credentials);
  expect(identities.find("ASIA1")).toEqual({ principal, credentials });
  expect(issued).toEqual([]);
});

it.each([
  ["issued", (identities: ReturnType<typeof createIdentities>) => void identities.issue(principal)],
  [
    "adopted",
    (identities: ReturnType<typeof createIdentities>) =>
      identities.adopt(principal, { accessKeyId: "ASIA2", secretAccessKey: "s", sessionToken: "t", expiresAtMs: 19 * hourMs }),
  ],
])("credentials are forgotten an hour after they expired when others are %s, and the administrator's never", (_, next) => {
  const { clock, identities } = stage();
  const { accessKeyId, expiresAtMs } = identities.issue(principal);
  clock.nowMs = expiresAtMs - 1;
  next(identities);
  expect(identities.find(accessKeyId)).toBeDefined();
  clock.nowMs = expiresAtMs + 3_600_000;
  next(identities);
  expect(identities.find(accessKeyId)).toBeUndefined();
  expect(identities.find("local")?.principal).toEqual(administrator);
});

it("the id of a role is the same each time, and another one for another role", () => {
  expect(roleId("a")).toMatch(/^AROA[A-Z2-7]{17}$/);
  expect(roleId("a")).toBe(roleId("a"));
  expect(roleId("a")).not.toBe(roleId("b"));
});
