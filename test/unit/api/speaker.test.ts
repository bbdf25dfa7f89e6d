import { describe, expect, test } from "vitest";
import { maySpeakFor, sessionOf, speakerOf } from "../../../lib/api/views/speaker.ts";
import { teamRole } from "../../../lib/model/deployment.ts";
import { callerOf } from "./api-world.ts";

const fleet = { name: "fleetwright", region: "eu-west-1", teams: ["research", "vision", "vision-2"] };
const role = (name: string): string => `arn:aws:sts::123456789012:assumed-role/${name}/somebody`;
const speaker = (arn: string, account?: string) => speakerOf(callerOf(arn, account), fleet);

describe("a caller with a team's role", () => {
  test.each(fleet.teams)("a caller with the role of team %s may act for that team and no other", (team) => {
    const who = speaker(role(`fleetwright-team-${team}-eu-west-1`));
    expect(who).toEqual({ kind: "team", team });
    expect(fleet.teams.filter((each) => maySpeakFor(who, each))).toEqual([team]);
  });

  test("the name of a team's role contains its region, because it is unique in an account", () => {
    expect(teamRole({ name: "fleetwright", region: "eu-west-1" }, "vision")).toBe("fleetwright-team-vision-eu-west-1");
  });

  test.each([
    ["a removed team", "fleetwright-team-sales-eu-west-1"],
    ["a team of the same deployment in another region", "fleetwright-team-vision-us-east-1"],
    ["a team without a region", "fleetwright-team-vision"],
    ["an empty team name", "fleetwright-team-"],
    ["a name that extends a team's", "fleetwright-team-vision-3-eu-west-1"],
  ])("a caller with the role of %s may act for no team", (_what, name) => {
    expect(speaker(role(name))).toEqual({ kind: "nobody" });
    expect(fleet.teams.filter((each) => maySpeakFor(speaker(role(name)), each))).toEqual([]);
  });
});

describe("an admin", () => {
  test.each([
    ["another role", role("Admin")],
    [
      "a role of IAM Identity Center",
      "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_AdministratorAccess_0123456789abcdef/ada@example.com",
    ],
    ["another deployment's team", role("other-team-vision-eu-west-1")],
    ["a user that is named like a team's role", "arn:aws:iam::123456789012:user/fleetwright-team-vision-eu-west-1"],
    ["the account itself", "arn:aws:iam::123456789012:root"],
    ["a session that is named like a team's role", "arn:aws:sts::123456789012:assumed-role/Admin/fleetwright-team-vision-eu-west-1"],
    ["a role in China", "arn:aws-cn:sts::123456789012:assumed-role/Admin/ada"],
  ])("a caller that is %s is an admin", (_who, arn) => {
    expect(speaker(arn)).toEqual({ kind: "admin" });
    expect(fleet.teams.every((team) => maySpeakFor(speaker(arn), team))).toBe(true);
  });
});

test("a caller of another account may act for no team, whatever its role's name", () => {
  for (const name of ["Admin", "fleetwright-team-vision-eu-west-1"])
    expect(speaker(role(name).replace("123456789012", "999999999999"), "999999999999")).toEqual({ kind: "nobody" });
});

test("a session's ARN contains its role and its name", () => {
  expect(sessionOf(role("Admin"))).toEqual({ role: "Admin", session: "somebody" });
  expect(sessionOf("arn:aws:iam::123456789012:user/ada")).toBeUndefined();
});
