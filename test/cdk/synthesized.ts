import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import * as z from "zod";
import type { WorkerFiles } from "../../cdk/bundles/worker-assets.ts";
import { type ConfigurationFile, parseConfiguration } from "../../cdk/configuration/configuration.ts";
import { flags } from "../../cdk/flags.ts";
import fleetConfig from "../../cdk/fleet.config.ts";
import { FleetStack } from "../../cdk/stack.ts";
import { Environments } from "../../lib/runtime/env.ts";

const oneOrMore = <T extends z.ZodType>(of: T) => z.union([of, z.array(of)]).transform((value) => (Array.isArray(value) ? value : [value]));

/** A statement of a policy, with what may be one or many always as many. */
export const Statement = z.object({
  Sid: z.string().optional(),
  Effect: z.enum(["Allow", "Deny"]),
  Action: oneOrMore(z.string()),
  Resource: oneOrMore(z.unknown()).optional(),
  Principal: z.unknown().optional(),
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});
export type Statement = z.output<typeof Statement>;
const Document = z.object({ Statement: z.array(Statement) });

export type Resource = { readonly id: string; readonly properties: Record<string, unknown> };

/** The app as `cdk/app.ts` makes it, but for the checks, the bundles and the worker's real files. */
export function aFleetApp(
  configuration: ConfigurationFile = fleetConfig,
  files: Partial<WorkerFiles> = {},
): { app: App; stack: FleetStack } {
  const folder = mkdtempSync(join(tmpdir(), "fleetwright-cdk-"));
  const worker = join(folder, "worker.mjs");
  const node = join(folder, "node");
  const bundles = join(folder, "functions");
  for (const name of Object.keys(Environments)) mkdirSync(join(bundles, name), { recursive: true });
  writeFileSync(worker, "");
  writeFileSync(node, linuxProgram);
  const app = new App({
    outdir: join(folder, "out"),
    analyticsReporting: false,
    // It only warns, and takes most of a synthesis; `cdk/app.ts`, which the end-to-end tests run, has it.
    builtinCloudFormationValidation: false,
    context: flags,
  });
  const stack = new FleetStack(app, "Fleetwright", {
    configuration: parseConfiguration(configuration, "the test"),
    bundles,
    worker: { worker, node, ...files },
  });
  return { app, stack };
}

/** As much of a Linux program for x86_64 as is looked at. */
export const linuxProgram: Buffer = Buffer.from("7f454c46020101000000000000000000" + "02003e00", "hex");

/** A synthesized stack, as its template says. */
export class Synthesized {
  readonly template: Template;

  constructor(configuration?: ConfigurationFile) {
    this.template = Template.fromStack(aFleetApp(configuration).stack);
  }

  all(type: string): Resource[] {
    return Object.entries(this.template.findResources(type)).map(([id, resource]) => ({
      id,
      properties: z.record(z.string(), z.unknown()).parse(resource["Properties"] ?? {}),
    }));
  }

  /** The one resource that has this value in this property. */
  one(type: string, property: string, value: unknown): Resource {
    const found = this.all(type).filter(({ properties }) => same(properties[property], value));
    if (found.length !== 1 || found[0] === undefined)
      throw new Error(`${found.length} of ${type} have ${property} = ${JSON.stringify(value)}`);
    return found[0];
  }

  /** What a role may do: the statements of every policy that is attached to it. */
  statementsOf(role: string): Statement[] {
    return this.all("AWS::IAM::Policy")
      .filter(({ properties }) =>
        z
          .array(z.unknown())
          .parse(properties["Roles"])
          .some((each) => same(each, { Ref: role })),
      )
      .flatMap(({ properties }) => Document.parse(properties["PolicyDocument"]).Statement);
  }

  /** Every statement of every identity policy, with the policy it stands in. */
  statements(): { policy: string; statement: Statement }[] {
    return this.all("AWS::IAM::Policy").flatMap(({ id, properties }) =>
      Document.parse(properties["PolicyDocument"]).Statement.map((statement) => ({ policy: id, statement })),
    );
  }

  functionNamed(name: string): Resource {
    return this.one("AWS::Lambda::Function", "FunctionName", `fleetwright-${name}`);
  }
}

export const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The logical id that `{Ref: …}` or `{Fn::GetAtt: […, …]}` names. */
export function named(reference: unknown): string {
  const parsed = z.union([z.object({ Ref: z.string() }), z.object({ "Fn::GetAtt": z.tuple([z.string(), z.string()]) })]).parse(reference);
  return "Ref" in parsed ? parsed.Ref : parsed["Fn::GetAtt"][0];
}

/** The text of a resource with what is only known later left out. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  const joined = z.object({ "Fn::Join": z.tuple([z.string(), z.array(z.unknown())]) }).safeParse(value);
  return joined.success ? joined.data["Fn::Join"][1].map(textOf).join(joined.data["Fn::Join"][0]) : "…";
}
