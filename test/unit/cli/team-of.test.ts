import { expect, it } from "vitest";
import { UsageError } from "../../../lib/cli/invocation/exit.ts";
import { poolNamed, teamOf } from "../../../lib/cli/session/team.ts";

const of = (teams: readonly string[], own: string | null = null) => ({
  deployment: { teams },
  api: { me: async () => ({ team: own, teams: own === null ? [...teams] : [own] }) },
});
const withoutApi = (teams: readonly string[]) => ({ deployment: { teams }, api: { me: () => Promise.reject(new Error("was asked")) } });

it("the only team of a deployment is chosen without a call of the API", async () => {
  expect(await teamOf(undefined, withoutApi(["solo"]))).toBe("solo");
});

it("a team that was named is chosen without a call of the API", async () => {
  expect(await teamOf("vision", withoutApi(["research", "vision"]))).toBe("vision");
});

it("the caller's own team is chosen if none is named", async () => {
  expect(await teamOf(undefined, of(["research", "vision"], "vision"))).toBe("vision");
});

it.each([
  ["an unknown team", "sales", /no team sales; there are: research, vision/],
  ["no team if there are several", undefined, /--team research \| --team vision/],
  ["an empty team", "", /no team ; there are/],
])("a command refuses %s, and names the teams", async (_what, name, message) => {
  const refused = teamOf(name, of(["research", "vision"]));
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(message);
});

it("a pool that does not exist is refused, and the pools are named", () => {
  expect(poolNamed("gpu", { pools: ["gpu", "cpu"] })).toBe("gpu");
  expect(() => poolNamed("big", { pools: ["gpu", "cpu"] })).toThrow(/no pool big; there are: gpu, cpu/);
});
