import { request } from "node:http";
import { expect, inject, it } from "vitest";

function statusOf(url: string, headers: Readonly<Record<string, string>>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method: "POST", headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    call.once("error", reject).end("Action=ListQueues");
  });
}

it.each(["ministackUrl", "motoUrl"] as const)("a web page cannot call the emulator at %s around the endpoint", async (name) => {
  const url = inject(name);
  const form = { "content-type": "application/x-www-form-urlencoded" };
  expect(await statusOf(url, { ...form, origin: "https://evil.example" })).toBe(403);
  expect(await statusOf(url, { ...form, "sec-fetch-site": "cross-site" })).toBe(403);
  expect(await statusOf(url, { ...form, host: "evil.example" })).toBe(403);
  expect(await statusOf(url, form)).not.toBe(403);
});
