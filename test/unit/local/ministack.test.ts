import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { registerCredentials } from "../../../lib/local/emulators/ministack.ts";

let server: Server;
let posted: string[];
let respond: { status: number; body: string };
let url: string;
beforeEach(async () => {
  posted = [];
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on("end", () => {
      posted.push(`${request.method} ${request.url} ${body}`);
      response.writeHead(respond.status).end(respond.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => server.close());

const register = () =>
  registerCredentials(
    url,
    { role: "worker", session: "i-1" },
    { accessKeyId: "AKIA", secretAccessKey: "secret", sessionToken: "token", expiresAtMs: 5_500 },
  );

it("credentials are registered with their role's session and the second at which they expire", async () => {
  respond = { status: 200, body: "{}" };
  await register();
  expect(posted).toHaveLength(1);
  expect(posted[0]).toMatch(/^POST \/_credentials \{/);
  expect(JSON.parse(posted[0]?.slice("POST /_credentials ".length) ?? "")).toMatchObject({
    accessKeyId: "AKIA",
    session: {
      Arn: expect.stringMatching(/^arn:aws:sts::\d{12}:assumed-role\/worker\/i-1$/),
      SecretAccessKey: "secret",
      SessionToken: "token",
      Expiration: 5.5,
      PrincipalType: "AssumedRole",
    },
  });
});

it("the error about a response of MiniStack quotes its first 300 characters", async () => {
  respond = { status: 500, body: `${"x".repeat(300)}y` };
  await expect(register()).rejects.toMatchObject({
    code: "ministack",
    retry: true,
    message: `MiniStack returned 500: ${"x".repeat(300)}`,
  });
});
