import { expect, it } from "vitest";
import { teamOf } from "../../../lib/cli/connection.ts";
import { UsageError } from "../../../lib/cli/exit.ts";
import type { Deployment } from "../../../lib/model/deployment.ts";

const withTeams = (...teams: string[]): Deployment => ({
  name: "fleetwright",
  table: "t",
  jobsQueuePrefix: "q-",
  incomingBucket: "i",
  artifactsBucket: "a",
  codeBucket: "c",
  decisionsBucket: "d",
  keyAliasPrefix: "alias/k-",
  logGroupPrefix: "/l/",
  teams,
  pools: ["gpu"],
  defaultPool: "gpu",
});

it("the only team needs no name", () => {
  expect(teamOf(undefined, withTeams("solo"))).toBe("solo");
});

it("a team is the one that was named", () => {
  expect(teamOf("vision", withTeams("research", "vision"))).toBe("vision");
});

it.each([
  ["a name that is none", "sales", /no team sales; there are: research, vision/],
  ["no name where there are several", undefined, /--team research \| --team vision/],
  ["an empty name", "", /no team ; there are/],
])("refuses %s and says which there are", (_what, name, message) => {
  expect(() => teamOf(name, withTeams("research", "vision"))).toThrow(UsageError);
  expect(() => teamOf(name, withTeams("research", "vision"))).toThrow(message);
});
