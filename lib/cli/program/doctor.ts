import type { Command } from "commander";
import type { Target } from "../session/connection.ts";
import { json } from "./options.ts";
import type { Session } from "./session.ts";

export function addDoctor(program: Command, { run, console }: Session): void {
  program
    .command("doctor")
    .description("check an AWS account before and after a deployment, and name what mends each finding")
    .option("--config <file>", "the configuration to deploy (default: cdk/fleet.config.ts); used if nothing is deployed yet")
    .addOption(json())
    .addHelpText(
      "after",
      `
It changes nothing. Run it before the first deployment, after each one, and when jobs do not start. It checks:

  always             region, credentials, this machine's clock; quotas of vCPUs for each pool (new accounts have 0), Lambda's
                     concurrency (new accounts have 10), the machine image, the zones that offer each pool's types, the spot role
  before deploying   CDK's bootstrap stack, the quota of VPCs, the number of zones; needs a checkout, because it reads the stack
  after deploying    the key of each team, the endpoints of the functions api and node, alarms, dead letters, pools without jobs

Each finding has a code that does not change, and the command that mends it:

  error      the deployment, or a part of it, cannot work like this
  warning    it works, but not as well or as safely as it could
  unchecked  the check could not be made, for example because your role may not read the fact; this never counts as ok

The exit code is 1 if there is an error, and 0 otherwise, also with warnings. Use the credentials of an administrator.

On a local cloud, it says which facts that cloud makes up. docs/operations.md lists all findings.

Examples:
  fleet doctor
  fleet doctor --name staging
  fleet doctor --aws --config my-fleet.config.ts       before the first deployment
  fleet doctor --json | jq '.checks[].findings[]'      for programs`,
    )
    .action((options: { config?: string; json?: boolean }) => {
      const { name, aws = false, local = false } = program.opts<Pick<Target, "name"> & Partial<Target>>();
      return run(import("../doctor/doctor.ts").then(({ doctor }) => doctor({ ...options, name, aws, local }, console)));
    });
}
