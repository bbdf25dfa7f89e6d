import { join } from "node:path";
import * as z from "zod";
import type { Resource } from "../../local/template/template.ts";
import type { Market } from "../../model/offer.ts";
import type { Pool } from "../../model/pool.ts";

/** A pool, as far as the account must provide for it. */
export type PoolNeeds = {
  readonly pool: string;
  readonly families: readonly string[];
  readonly markets: readonly Market[];
  readonly gpuLimit: number;
};

/** What a stack that is not deployed yet is going to need. */
export type PlannedStack = {
  /** The deployment's name. */
  readonly name: string;
  readonly pools: readonly PoolNeeds[];
  /** The image in each launch template. */
  readonly images: readonly { readonly pools: readonly string[]; readonly image: string }[];
  readonly zones: number;
  readonly functions: number;
  readonly reserved: number;
  readonly byQueues: number;
};

const TemplateData = z.looseObject({ LaunchTemplateData: z.looseObject({ ImageId: z.string() }) });
const Mapping = z.looseObject({ ScalingConfig: z.looseObject({ MaximumConcurrency: z.number() }).optional() });
const LambdaFunction = z.looseObject({ ReservedConcurrentExecutions: z.number().optional() });

/** Returns what a stack needs, from the resources of its template, its name and the pools of its configuration. */
function plannedOf(
  resources: Readonly<Record<string, Resource>>,
  { name: fleet, pools }: { readonly name: string; readonly pools: readonly Pick<Pool, "name" | "families" | "markets" | "limits">[] },
): PlannedStack {
  const of = (type: string): readonly unknown[] =>
    Object.values(resources).flatMap(({ Type, Properties }) => (Type === type ? [Properties] : []));
  const functions = of("AWS::Lambda::Function").map((each) => LambdaFunction.parse(each));
  const mappings = of("AWS::Lambda::EventSourceMapping").map((each) => Mapping.parse(each));
  const images = new Set(of("AWS::EC2::LaunchTemplate").map((each) => TemplateData.parse(each).LaunchTemplateData.ImageId));
  return {
    name: fleet,
    pools: pools.map(poolNeeds),
    images: [...images].map((image) => ({ pools: pools.map(({ name }) => name), image })),
    zones: of("AWS::EC2::Subnet").length,
    functions: functions.length,
    reserved: functions.reduce((sum, { ReservedConcurrentExecutions = 0 }) => sum + ReservedConcurrentExecutions, 0),
    byQueues: mappings.reduce((sum, { ScalingConfig }) => sum + (ScalingConfig?.MaximumConcurrency ?? 0), 0),
  };
}

const poolNeeds = ({ name, families, markets, limits }: Pick<Pool, "name" | "families" | "markets" | "limits">): PoolNeeds => ({
  pool: name,
  families,
  markets,
  gpuLimit: limits.gpus,
});

/** Synthesizes the stack of a configuration, and returns what it needs. Only a checkout can do that. Throws the FleetError `synth` if it fails. */
export async function plan(configuration: string, log: (line: string) => void): Promise<PlannedStack> {
  const [{ synthesize }, { readTemplate }, { readAssets }, { readFleetFile }, { cloudFolder, makeWritable }] = await Promise.all([
    import("../../local/synthesize.ts"),
    import("../../local/template/template.ts"),
    import("../../local/template/assets.ts"),
    import("../../runtime/fleet-file.ts"),
    import("../invocation/folders.ts"),
  ]);
  await makeWritable(cloudFolder);
  const assembly = await synthesize({ folder: cloudFolder, configuration, log: ({ message }) => log(message) });
  const { Resources } = await readTemplate(assembly, stackName);
  const place = Object.values(Resources).find(
    ({ Type, Properties }) => Type === "AWS::Lambda::Function" && String(Properties["FunctionName"]).endsWith("-place"),
  );
  const code = z.looseObject({ Code: z.looseObject({ S3Key: z.string() }) }).parse(place?.Properties).Code.S3Key;
  const bundle = (await readAssets(assembly, stackName, {})).find(({ key }) => key === code)?.path ?? join(assembly, code);
  return plannedOf(Resources, readFleetFile(bundle));
}

/** The stack's name in its assembly. */
const stackName = "Fleetwright";
