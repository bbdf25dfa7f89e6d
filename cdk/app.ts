import { rmSync } from "node:fs";
import { join } from "node:path";
import { Annotations, App, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { bundleFunctions } from "./bundles/function-bundles.ts";
import { root } from "./bundles/root.ts";
import { buildWorker } from "./bundles/worker-assets.ts";
import { loadConfiguration } from "./configuration/configuration.ts";
import { regionProblem } from "./configuration/region.ts";
import { flags } from "./flags.ts";
import { FleetStack } from "./stack.ts";

/** Writes the cloud assembly to CDK_OUTDIR, or to cdk.out if that is unset. Needs no account, no look-ups and no Docker. */
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
    worker: buildWorker(),
    tags: { "fleetwright:name": configuration.name },
  });
  // CDK's command line names the region of the deployment here. An error stops a deployment, and not the local cloud.
  const problem = regionProblem(process.env["CDK_DEFAULT_REGION"]);
  if (problem !== undefined) Annotations.of(stack).addError(problem);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
} finally {
  rmSync(bundles, { recursive: true });
}
