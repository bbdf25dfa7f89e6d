import { inWords } from "../../model/errors/in-words.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { resolve, type Scope, truth } from "../template/intrinsics.ts";
import { dependencies } from "../template/order.ts";
import type { Template } from "../template/template.ts";
import { alarm, dashboard } from "./alarm.ts";
import { bucket, bucketPolicy } from "./bucket.ts";
import { eventInvokeConfig, eventSourceMapping, functionUrl, lambdaFunction, permission } from "./function.ts";
import { imageOf } from "./image.ts";
import type { Created, ResourceKind } from "./kind.ts";
import { launchTemplate } from "./launch-template.ts";
import { routing, securityGroup, subnet, vpc } from "./network.ts";
import { queue, queuePolicy } from "./queue.ts";
import { instanceProfile, policy, role } from "./role.ts";
import { rule } from "./rule.ts";
import { alias, eventBus, fleetInstances, key, logGroup, parameter, schedule, table } from "./small-kinds.ts";
import { account, type ProvisionContext, region, zones } from "./world.ts";

const kinds: ReadonlyMap<string, ResourceKind> = new Map(
  [
    ...[
      alarm,
      alias,
      bucket,
      bucketPolicy,
      dashboard,
      eventBus,
      eventInvokeConfig,
      eventSourceMapping,
      fleetInstances,
      functionUrl,
      instanceProfile,
      key,
      lambdaFunction,
    ],
    ...[launchTemplate, logGroup, parameter, permission, policy, queue, queuePolicy, role, rule, schedule, securityGroup, subnet],
    ...[table, vpc, ...routing],
  ].map((each) => [each.type, each]),
);

const pseudo = (stack: string): Readonly<Record<string, string>> => ({
  "AWS::AccountId": account,
  "AWS::Partition": "aws",
  "AWS::Region": region,
  "AWS::StackId": `arn:aws:cloudformation:${region}:${account}:stack/${stack}/local`,
  "AWS::StackName": stack,
  "AWS::URLSuffix": "amazonaws.com",
});

/**
 * Creates all resources of a template, each as soon as the resources that it refers to exist.
 * Throws a FleetError that names the first resource type, property or function that is not supported.
 */
export async function provision(template: Template, world: ProvisionContext): Promise<void> {
  refuseUnknownTypes(template);
  const made = new Map<string, Created>();
  const scope = await scopeOf({ template, world, made });
  const needs = dependencies(template);
  const under = new Map<string, Promise<void>>();
  const create = (id: string): Promise<void> => {
    const running =
      under.get(id) ?? Promise.all([...(needs.get(id) ?? [])].map(create)).then(() => createOne({ id, template, world, scope, made }));
    under.set(id, running);
    return running;
  };
  await Promise.all(Object.keys(template.Resources).map(create));
}

type Making = { readonly template: Template; readonly world: ProvisionContext; readonly made: Map<string, Created> };

async function createOne({ id, template, world, scope, made }: Making & { id: string; scope: Scope }): Promise<void> {
  const resource = template.Resources[id];
  const how = kinds.get(resource?.Type ?? "");
  if (!resource || !how || (resource.Condition !== undefined && !scope.condition(resource.Condition))) return;
  const properties = resolve(resource.Properties, scope);
  try {
    made.set(id, await how.create(Object(properties), { id, name: `${world.stack}-${id}` }, world));
  } catch (error) {
    if (error instanceof FleetError) throw error;
    throw new FleetError("provision", `${id} (${resource.Type}) could not be created: ${inWords(error)}`, {
      cause: error,
    });
  }
}

function refuseUnknownTypes(template: Template): void {
  const unknown = Object.entries(template.Resources).filter(([, { Type }]) => !kinds.has(Type) && Type !== "AWS::CDK::Metadata");
  if (unknown.length === 0) return;
  const named = unknown.map(([id, { Type }]) => `${id} (${Type})`).join(", ");
  throw new FleetError(
    "template",
    `The local cloud does not support these resources: ${named}. Implement their types in lib/local/provision.`,
  );
}

async function scopeOf({ template, world, made }: Making): Promise<Scope> {
  const values: Record<string, unknown> = pseudo(world.stack);
  for (const [name, parameter] of Object.entries(template.Parameters)) values[name] = await parameterValue(name, parameter, world);
  const scope: Scope = {
    zones,
    ref: (name) => {
      if (name in values) return values[name];
      const created = made.get(name);
      if (!created) throw new FleetError("template", `Ref names ${name}, which does not exist`);
      return created.ref;
    },
    attribute: (resource, attribute) => {
      const value = made.get(resource)?.attributes[attribute];
      if (value === undefined) throw new FleetError("template", `The local cloud does not support the attribute ${resource}.${attribute}`);
      return value;
    },
    condition: (name) => {
      if (!(name in template.Conditions)) throw new FleetError("template", `There is no condition ${name}`);
      return truth(template.Conditions[name], scope);
    },
    mapping: ([map, first, second]) => {
      const value = template.Mappings[map]?.[first]?.[second];
      if (value === undefined) throw new FleetError("template", `There is no ${map}.${first}.${second} in the mappings`);
      return value;
    },
  };
  return scope;
}

async function parameterValue(name: string, parameter: Template["Parameters"][string], world: ProvisionContext): Promise<unknown> {
  const value = parameter.Default;
  // The template only asserts this version of the bootstrap stack, which does not exist here.
  if (name === "BootstrapVersion") return "0";
  if (value === undefined) throw new FleetError("template", `The parameter ${name} has no default`);
  if (parameter.Type === "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>") return imageOf(String(value), world.clients);
  if (parameter.Type === "String" || parameter.Type === "Number") return value;
  if (parameter.Type === "CommaDelimitedList") return String(value).split(",");
  throw new FleetError("template", `The local cloud does not support the type of the parameter ${name}: ${parameter.Type}`);
}
