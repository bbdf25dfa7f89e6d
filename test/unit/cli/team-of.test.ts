import { expect, it } from "vitest";
import { UsageError } from "../../../lib/cli/invocation/exit.ts";
import { poolNamed, teamOf } from "../../../lib/cli/session/team.ts";

const of = (teams: readonly string[], own: string | null = null) => ({
  deployment: { teams },
  api: { me: async () => ({ team: own, teams: own === null ? [...teams] : [own] }) },
});
const unasked = (teams: readonly string[]) => ({ deployment: { teams }, api: { me: () => Promise.reject(new Error("was asked")) } });

it("the only team needs no name, and nobody is asked for it", async () => {
  expect(await teamOf(undefined, unasked(["solo"]))).toBe("solo");
});

it("a team is the one that was named, and nobody is asked for it", async () => {
  expect(await teamOf("vision", unasked(["research", "vision"]))).toBe("vision");
});

it("a caller who speaks for one team needs no name", async () => {
  expect(await teamOf(undefined, of(["research", "vision"], "vision"))).toBe("vision");
});

it.each([
  ["a name that is none", "sales", /no team sales; there are: research, vision/],
  ["no name where there are several", undefined, /--team research \| --team vision/],
  ["an empty name", "", /no team ; there are/],
])("refuses %s and says which there are", async (_what, name, message) => {
  const refused = teamOf(name, of(["research", "vision"]));
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(message);
});

it("a pool that does not exist is refused with those that do", () => {
  expect(poolNamed("gpu", { pools: ["gpu", "cpu"] })).toBe("gpu");
  expect(() => poolNamed("big", { pools: ["gpu", "cpu"] })).toThrow(/no pool big; there are: gpu, cpu/);
});
