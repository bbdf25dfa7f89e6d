import { expect, it } from "vitest";
import { createClientTokens } from "../../../lib/local/ec2/calls/client-tokens.ts";
import type { HttpResponse } from "../../../lib/local/requests/http.ts";

const form = (text: string): URLSearchParams => new URLSearchParams(text);
const returning = (body: string) => async (): Promise<HttpResponse> => ({ status: 200, headers: {}, body });

it("a call with the same client token, region and action returns the first response, in any order of parameters", async () => {
  const tokens = createClientTokens();
  const first = await tokens.once(form("Action=A&X=1&ClientToken=t"), "r", returning("one"));
  const second = await tokens.once(form("X=1&ClientToken=t&Action=A"), "r", returning("two"));
  expect([first.replayed, second.replayed]).toEqual([false, true]);
  expect(second.response).toBe(first.response);
  expect((await tokens.once(form("Action=B&X=1&ClientToken=t"), "r", returning("three"))).replayed).toBe(false);
  expect((await tokens.once(form("Action=A&X=1&ClientToken=t"), "s", returning("four"))).replayed).toBe(false);
});

it("a client token is refused with other parameters, or if it is not valid", async () => {
  const tokens = createClientTokens();
  await tokens.once(form("Action=A&X=1&ClientToken=t"), "r", returning("one"));
  await expect(tokens.once(form("Action=A&X=2&ClientToken=t"), "r", returning("two"))).rejects.toMatchObject({
    code: "IdempotentParameterMismatch",
  });
  await expect(tokens.once(form(`Action=A&ClientToken=${"t".repeat(65)}`), "r", returning(""))).rejects.toMatchObject({
    code: "InvalidParameterValue",
  });
});

it("a call that failed or had no client token is not remembered", async () => {
  const tokens = createClientTokens();
  const failing = tokens.once(form("Action=A&ClientToken=t"), "r", async () => Promise.reject(new Error("down")));
  await expect(failing).rejects.toThrow("down");
  expect((await tokens.once(form("Action=A&ClientToken=t"), "r", returning("one"))).replayed).toBe(false);
  await tokens.once(form("Action=A"), "r", returning("one"));
  expect((await tokens.once(form("Action=A"), "r", returning("two"))).replayed).toBe(false);
});
