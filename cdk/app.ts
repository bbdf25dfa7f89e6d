import { rmSync } from "node:fs";
import { join } from "node:path";
import { Annotations, App, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { inWords } from "../lib/model/errors/in-words.ts";
import { FleetError } from "../lib/model/fleet-error.ts";
import { regionProblem } from "../lib/model/values/region.ts";
import { bundleFunctions } from "./bundles/function-bundles.ts";
import { root } from "./bundles/root.ts";
import { buildWorker } from "./bundles/worker-assets.ts";
import { loadConfiguration } from "./configuration/configuration.ts";
import { zoneProblem } from "./configuration/zones.ts";
import { flags } from "./flags.ts";
import { sizeProblems } from "./size.ts";
import { FleetStack } from "./stack.ts";

/**
 * Writes the cloud assembly to CDK_OUTDIR, or to cdk.out if that is unset. Needs no account, no look-ups and no Docker. The local cloud sets
 * FLEETWRIGHT_OWN_NODE, because its nodes run on this machine.
 */
async function main(): Promise<void> {
  const configuration = await loadConfiguration(process.env["FLEETWRIGHT_CONFIG"] ?? join(root, "cdk", "fleet.config.ts"));
  const app = new App({
    outdir: process.env["CDK_OUTDIR"] ?? join(root, "cdk.out"),
    autoSynth: false,
    analyticsReporting: false,
    context: flags,
  });
  const { bundles } = await bundleFunctions(configuration);
  try {
    const stack = new FleetStack(app, "Fleetwright", {
      description: "Fleetwright: a serverless autoscaler for GPU fleets",
      configuration,
      bundles,
      worker: buildWorker({ ownNode: process.env["FLEETWRIGHT_OWN_NODE"] === "true" }),
      tags: { "fleetwright:name": configuration.name },
    });
    const tooLarge = sizeProblems(stack, configuration);
    if (tooLarge.length > 0)
      throw new FleetError("configuration", `AWS would refuse the stack:\n${tooLarge.map((each) => `  ${each}`).join("\n")}`);
    // CDK's command line names the region of the deployment here. An error stops a deployment, and not the local cloud.
    const region = process.env["CDK_DEFAULT_REGION"];
    const problem = regionProblem(region) ?? zoneProblem(region, configuration.zones);
    if (problem !== undefined) Annotations.of(stack).addError(problem);
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    app.synth();
  } finally {
    rmSync(bundles, { recursive: true });
  }
}

main().catch((error: unknown) => {
  // A mistake in the configuration needs no stack trace.
  console.error(error instanceof FleetError ? inWords(error) : error);
  process.exitCode = 1;
});
