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

/** A statement of a policy, in which fields that may hold one value or many always hold arrays. */
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

/** Creates the app as `cdk/app.ts` does, without the checks, the bundles and the worker's real files. */
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
  writeFileSync(node, "");
  const app = new App({
    outdir: join(folder, "out"),
    analyticsReporting: false,
    // Off, because it only warns and takes most of a synthesis. `cdk/app.ts`, which the end-to-end tests run, leaves it on.
    builtinCloudFormationValidation: false,
    context: flags,
  });
  const stack = new FleetStack(app, "Fleetwright", {
    configuration: parseConfiguration(configuration, "the test"),
    bundles,
    worker: { worker, node: { path: node }, ...files },
  });
  return { app, stack };
}

/** A synthesized stack, seen through its template. */
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

  /** Returns the resource that has this value in this property. Throws unless there is exactly one. */
  one(type: string, property: string, value: unknown): Resource {
    const found = this.all(type).filter(({ properties }) => same(properties[property], value));
    if (found.length !== 1 || found[0] === undefined)
      throw new Error(`${found.length} of ${type} have ${property} = ${JSON.stringify(value)}`);
    return found[0];
  }

  /** Returns the role of a team. Its name ends with the region. */
  teamRole(team: string): Resource {
    const found = this.all("AWS::IAM::Role").filter(({ properties }) => textOf(properties["RoleName"]) === `fleetwright-team-${team}-…`);
    if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} roles are that of the team ${team}`);
    return found[0];
  }

  /** Returns the statements of all policies that are attached to a role. */
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

  /** Returns every statement of every identity policy, with its policy. */
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

/** Returns the logical id that `{Ref: …}` or `{Fn::GetAtt: […, …]}` names. */
export function named(reference: unknown): string {
  const parsed = z.union([z.object({ Ref: z.string() }), z.object({ "Fn::GetAtt": z.tuple([z.string(), z.string()]) })]).parse(reference);
  return "Ref" in parsed ? parsed.Ref : parsed["Fn::GetAtt"][0];
}

/** Returns the text of a resource, with "…" for values that are only known at deployment. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  const joined = z.object({ "Fn::Join": z.tuple([z.string(), z.array(z.unknown())]) }).safeParse(value);
  return joined.success ? joined.data["Fn::Join"][1].map(textOf).join(joined.data["Fn::Join"][0]) : "…";
}
