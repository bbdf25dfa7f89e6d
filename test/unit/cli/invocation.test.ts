import { describe, expect, it } from "vitest";
import { asCalled, type ProcessStart, quoted, startOf, targetOptions } from "../../../lib/cli/invocation/invocation.ts";

const root = "/home/ada/fleetwright";
const npm = { npm_lifecycle_event: "fleet", npm_package_json: `${root}/package.json`, INIT_CWD: root };
const calledBy = (over: Partial<ProcessStart>): string =>
  startOf({ environment: {}, argv: ["node", `${root}/lib/cli/fleet.ts`], cwd: root, installed: false, root, ...over });

describe("what to type for fleet", () => {
  it.each([
    ["npm run, in the checkout", { environment: npm }, "npm run -s fleet --"],
    ["npm run, in a folder of the checkout", { environment: { ...npm, INIT_CWD: `${root}/lib` } }, "npm run -s fleet --"],
    ["npm start", { environment: { ...npm, npm_lifecycle_event: "start" } }, "npm run -s fleet --"],
    ["npm --prefix, from elsewhere", { environment: { ...npm, INIT_CWD: "/data" } }, `npm --prefix ${root} run -s fleet --`],
    ["the script itself", {}, "node lib/cli/fleet.ts"],
    ["the script itself, from elsewhere", { cwd: "/data" }, `node ${root}/lib/cli/fleet.ts`],
    ["another project's npm script", { environment: { ...npm, npm_package_json: "/data/package.json" } }, "node lib/cli/fleet.ts"],
    ["the installed command", { installed: true }, "fleet"],
    ["the installed command, in an npm script", { installed: true, environment: { ...npm, npm_command: "run-script" } }, "fleet"],
    ["npx", { installed: true, environment: { npm_command: "exec" } }, "npx fleet"],
    [
      "npx with a package",
      { installed: true, environment: { npm_command: "exec", npm_config_package: "./fleetwright-0.1.0.tgz" } },
      "npx --package ./fleetwright-0.1.0.tgz fleet",
    ],
    ["a wrapper named by FLEETWRIGHT_COMMAND", { environment: { ...npm, FLEETWRIGHT_COMMAND: "./fleet.sh" } }, "./fleet.sh"],
  ])("a hint begins with what the user typed: %s", (_what, call, typed) => {
    expect(calledBy(call)).toBe(typed);
  });

  it("a hint quotes the path of a checkout if it has a space", () => {
    const spaced = "/home/ada/my work";
    const environment = { ...npm, npm_package_json: `${spaced}/package.json`, INIT_CWD: "/data" };
    expect(calledBy({ environment, root: spaced })).toBe("npm --prefix '/home/ada/my work' run -s fleet --");
  });
});

it.each([
  ["train-7", "train-7"],
  ["my run", "'my run'"],
  ["it's", "'it'\\''s'"],
  ["$(rm -rf)", "'$(rm -rf)'"],
  ["", "''"],
])("a word of a hint is quoted if a shell would change it: %s", (word, typed) => {
  expect(quoted(word)).toBe(typed);
});

it.each([
  ["the deployment's name", ["submit", "--name", "staging", "job.json"], ["--name", "staging"]],
  ["the deployment's name, in one word", ["--name=staging", "jobs"], ["--name", "staging"]],
  ["AWS", ["jobs", "--aws"], ["--aws"]],
  ["no options of the job's own command", ["submit", "--workdir", ".", "--", "train", "--aws", "--name", "x"], []],
])("a hint repeats the options that choose the deployment: %s", (_what, args, repeated) => {
  expect(targetOptions(["node", "fleet.ts", ...args])).toEqual(repeated);
});

describe("help", () => {
  const names = ["jobs", "submit", "use"];
  const typed = (text: string): string => asCalled(text, names, "npm run -s fleet --");

  it.each([
    ["Usage: fleet jobs [options]", "Usage: npm run -s fleet -- jobs [options]"],
    ["Usage: fleet [options] [command]", "Usage: npm run -s fleet -- [options] [command]"],
    [
      "Examples:\n  fleet jobs --json | jq\n  echo {} | fleet submit -",
      "Examples:\n  npm run -s fleet -- jobs --json | jq\n  echo {} | npm run -s fleet -- submit -",
    ],
    ['"fleet COMMAND --help" has more', '"npm run -s fleet -- COMMAND --help" has more'],
    ["(see fleet jobs --help)", "(see npm run -s fleet -- jobs --help)"],
  ])("help shows commands as the user must type them: %s", (text, help) => {
    expect(typed(text)).toBe(help);
  });

  it("help does not change the word fleet if no command follows", () => {
    const text = "run the fleet's own code under faults; a fleet of nodes; no fleet can beat";
    expect(typed(text)).toBe(text);
  });
});
