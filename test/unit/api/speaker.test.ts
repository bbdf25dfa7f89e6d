import { describe, expect, test } from "vitest";
import { maySpeakFor, sessionOf, speakerOf } from "../../../lib/api/views/speaker.ts";
import { teamRole } from "../../../lib/model/deployment.ts";
import { callerOf } from "./api-world.ts";

const fleet = { name: "fleetwright", teams: ["research", "vision", "vision-2"] };
const role = (name: string): string => `arn:aws:sts::123456789012:assumed-role/${name}/somebody`;
const speaker = (arn: string, account?: string) => speakerOf(callerOf(arn, account), fleet);

describe("who has taken a team's role", () => {
  test.each(fleet.teams)("speaks for %s and no other", (team) => {
    const who = speaker(role(`fleetwright-team-${team}`));
    expect(who).toEqual({ kind: "team", team });
    expect(fleet.teams.filter((each) => maySpeakFor(who, each))).toEqual([team]);
  });

  test("has a role with a name that IAM takes", () => {
    expect(teamRole("f".repeat(20), "t".repeat(30)).length).toBeLessThanOrEqual(64);
  });

  test.each([
    ["a team that was taken out", "fleetwright-team-sales"],
    ["no team at all", "fleetwright-team-"],
    ["a longer name", "fleetwright-team-vision-3"],
  ])("of %s speaks for nobody", (_what, name) => {
    expect(speaker(role(name))).toEqual({ kind: "nobody" });
    expect(fleet.teams.filter((each) => maySpeakFor(speaker(role(name)), each))).toEqual([]);
  });
});

describe("an admin is", () => {
  test.each([
    ["another role", role("Admin")],
    [
      "a role of IAM Identity Center",
      "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_AdministratorAccess_0123456789abcdef/ada@example.com",
    ],
    ["another deployment's team", role("other-team-vision")],
    ["a user, whatever its name", "arn:aws:iam::123456789012:user/fleetwright-team-vision"],
    ["the account itself", "arn:aws:iam::123456789012:root"],
    ["a session that is named like a team's role", "arn:aws:sts::123456789012:assumed-role/Admin/fleetwright-team-vision"],
    ["a role in China", "arn:aws-cn:sts::123456789012:assumed-role/Admin/ada"],
  ])("%s", (_who, arn) => {
    expect(speaker(arn)).toEqual({ kind: "admin" });
    expect(fleet.teams.every((team) => maySpeakFor(speaker(arn), team))).toBe(true);
  });
});

test("nobody from another account has a say, whatever the role is called", () => {
  for (const name of ["Admin", "fleetwright-team-vision"])
    expect(speaker(role(name).replace("123456789012", "999999999999"), "999999999999")).toEqual({ kind: "nobody" });
});

test("a session is told by its role and its own name", () => {
  expect(sessionOf(role("Admin"))).toEqual({ role: "Admin", session: "somebody" });
  expect(sessionOf("arn:aws:iam::123456789012:user/ada")).toBeUndefined();
});
