import { expect, it } from "vitest";
import { exportsOf } from "../../../lib/local/ec2/instances/user-data.ts";

const exported = (script: string): Record<string, string> => Object.fromEntries(exportsOf(Buffer.from(script).toString("base64")));

it("exportsOf finds the boot script's exports, with shell quoting", () => {
  const script = `#!/bin/bash\nset -eu\nexport FLEETWRIGHT_NODE_URL='http://127.0.0.1:1/a?b=c'\n  export FLEETWRIGHT_POOL='it'\\''s'\nexport AWS_REGION='us-east-1'\n`;
  expect(exported(script)).toEqual({ FLEETWRIGHT_NODE_URL: "http://127.0.0.1:1/a?b=c", FLEETWRIGHT_POOL: "it's", AWS_REGION: "us-east-1" });
});

it("exportsOf ignores everything else in user data", () => {
  expect(
    exported(
      `export PATH='/x'\nexport AWS_SECRET_ACCESS_KEY='s'\nexport FLEETWRIGHT_A=$(id)\nexport FLEETWRIGHT_B="x"\necho export FLEETWRIGHT_C='x'`,
    ),
  ).toEqual({});
  expect(exported("")).toEqual({});
});
