import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import { describe, expect, it } from "vitest";
import type { HttpCall } from "../../../lib/local/requests/http.ts";
import { createIdentities, type IssuedCredentials } from "../../../lib/local/requests/identities.ts";
import { verifySignature } from "../../../lib/local/requests/signature.ts";

const nowMs = Date.UTC(2026, 10, 23, 12);
const identities = createIdentities({ now: () => nowMs });
const principal = { role: "instance", session: "i-0abc" };
const credentials = identities.issue(principal);

type Signing = { credentials?: IssuedCredentials; service?: string; atMs?: number; path?: string; body?: string };

async function signed({
  credentials: by = credentials,
  service = "lambda",
  atMs = nowMs,
  path = "/_url/f/",
  body = "{}",
}: Signing = {}): Promise<HttpCall> {
  const url = new URL(path, "http://127.0.0.1:4566");
  const signer = new SignatureV4({ service, region: "us-east-1", credentials: by, sha256: Sha256 });
  const request = await signer.sign(
    {
      method: "POST",
      protocol: "http:",
      hostname: url.hostname,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { host: url.host, "content-type": "application/json" },
      body,
    },
    { signingDate: new Date(atMs) },
  );
  // The headers that the network adds are not signed.
  return {
    method: "POST",
    path,
    headers: { ...request.headers, "content-length": String(body.length), connection: "close" },
    body: Buffer.from(body),
  };
}

const verify = (call: HttpCall, atMs = nowMs) => verifySignature(call, { identities, service: "lambda", nowMs: atMs });

describe("a call's signature", () => {
  it.each(["/_url/f/", "/_url/f/a%20b/c", "/_url/f/?b=2&a=1%2F2&c=", "/_url/f"])(
    "a call to %s with a valid signature is accepted",
    async (path) => {
      expect(await verify(await signed({ path }))).toEqual({ kind: "signed", accessKeyId: credentials.accessKeyId, principal });
    },
  );

  it("a signature is valid without the body's hash in the headers", async () => {
    const signer = new SignatureV4({ service: "lambda", region: "us-east-1", credentials, sha256: Sha256, applyChecksum: false });
    const body = "{}";
    const request = await signer.sign(
      { method: "POST", protocol: "http:", hostname: "x", path: "/", headers: { host: "x" }, body },
      { signingDate: new Date(nowMs) },
    );
    expect(await verify({ method: "POST", path: "/", headers: request.headers, body: Buffer.from(body) })).toMatchObject({
      kind: "signed",
    });
  });

  it.each<[string, (call: HttpCall) => HttpCall, RegExp]>([
    ["another body", (call) => ({ ...call, body: Buffer.from('{"x":1}') }), /does not match/],
    ["another path", (call) => ({ ...call, path: "/_url/g/" }), /does not match/],
    ["another query", (call) => ({ ...call, path: "/_url/f/?x=1" }), /does not match/],
    ["another method", (call) => ({ ...call, method: "PUT" }), /does not match/],
    ["another host", (call) => ({ ...call, headers: { ...call.headers, host: "elsewhere" } }), /does not match/],
    [
      "another token",
      (call) => ({ ...call, headers: { ...call.headers, "x-amz-security-token": "x" } }),
      /token included in the request is invalid/,
    ],
    ["no signature", (call) => ({ ...call, headers: { host: "127.0.0.1:4566" } }), /Missing Authentication Token/],
  ])("a call with %s is refused", async (_name, change, message) => {
    expect(await verify(change(await signed()))).toEqual({ kind: "refused", message: expect.stringMatching(message) });
  });

  it.each(["host", "x-amz-date"])("a call is refused if its signature does not cover its header %s", async (header) => {
    const signer = new SignatureV4({ service: "lambda", region: "us-east-1", credentials, sha256: Sha256, applyChecksum: false });
    const message = { method: "POST", protocol: "http:", hostname: "x", path: "/", headers: { host: "x" }, body: "{}" };
    const request = await signer.sign(message, { signingDate: new Date(nowMs), unsignableHeaders: new Set([header]) });
    const covered = /SignedHeaders=([^,]+)/.exec(request.headers["authorization"] ?? "")?.[1]?.split(";");
    expect(covered).toContain(header === "host" ? "x-amz-date" : "host");
    expect(covered).not.toContain(header);
    expect(await verify({ method: "POST", path: "/", headers: request.headers, body: Buffer.from("{}") })).toEqual({
      kind: "refused",
      message: expect.stringMatching(/does not match/),
    });
  });

  it("a call is refused if its key was never issued or was used with another key's secret", async () => {
    const stranger = createIdentities().issue(principal);
    expect(await verify(await signed({ credentials: stranger }))).toMatchObject({ kind: "refused" });
    const guessed = { ...credentials, secretAccessKey: stranger.secretAccessKey };
    expect(await verify(await signed({ credentials: guessed }))).toEqual({
      kind: "refused",
      message: expect.stringMatching(/does not match/),
    });
  });

  it("a call is refused if it is signed for another service, more than five minutes off, or with expired credentials", async () => {
    expect(await verify(await signed({ service: "s3" }))).toEqual({
      kind: "refused",
      message: expect.stringMatching(/correct service: 'lambda'/),
    });
    expect(await verify(await signed({ atMs: nowMs - 299_000 }))).toMatchObject({ kind: "signed" });
    expect(await verify(await signed({ atMs: nowMs - 301_000 }))).toMatchObject({ kind: "refused" });
    expect(await verify(await signed({ atMs: nowMs + 301_000 }))).toMatchObject({ kind: "refused" });
    const later = credentials.expiresAtMs;
    expect(await verify(await signed({ atMs: later }), later)).toEqual({ kind: "refused", message: expect.stringMatching(/expired/) });
  });
});
