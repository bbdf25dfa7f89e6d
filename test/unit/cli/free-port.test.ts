import { once } from "node:events";
import { createServer } from "node:net";
import { expect, it } from "vitest";
import { isFree } from "../../../lib/cli/invocation/free-port.ts";

it("a port is free before and after a process listens on it, but not during", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  expect(await isFree(port)).toBe(false);
  server.close();
  await once(server, "close");
  expect(await isFree(port)).toBe(true);
});
