import { FleetError } from "../../model/fleet-error.ts";

/** The values that a template's functions may use. Each method throws a FleetError for an unknown name. */
export type Scope = {
  /** Returns the value of a parameter or a pseudo parameter, or a resource's physical name. */
  ref(name: string): unknown;
  attribute(resource: string, attribute: string): unknown;
  condition(name: string): boolean;
  mapping(path: readonly [map: string, first: string, second: string]): unknown;
  readonly zones: readonly string[];
};

/** `AWS::NoValue`: a property with this value is omitted. */
export const noValue: unique symbol = Symbol("AWS::NoValue");

/** Returns the value with every intrinsic function in it evaluated. Throws a FleetError if a function is not supported. */
export function resolve(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) return value.map((each) => resolve(each, scope)).filter((each) => each !== noValue);
  if (!isRecord(value)) return value;
  const call = intrinsicOf(value);
  if (call) return carryOut(call, scope);
  const resolved = Object.entries(value).map(([key, each]) => [key, resolve(each, scope)] as const);
  return Object.fromEntries(resolved.filter(([, each]) => each !== noValue));
}

export type Intrinsic = { readonly name: string; readonly argument: unknown };

/** Returns the intrinsic function that this object represents, or undefined if it is an ordinary object. */
export function intrinsicOf(value: Readonly<Record<string, unknown>>): Intrinsic | undefined {
  const [only, ...more] = Object.entries(value);
  if (!only || more.length > 0) return undefined;
  const [name, argument] = only;
  return name === "Ref" || name.startsWith("Fn::") ? { name, argument } : undefined;
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

type Carry = (argument: unknown, scope: Scope) => unknown;

const functions: Readonly<Record<string, Carry>> = {
  Ref: (name, scope) => (name === "AWS::NoValue" ? noValue : scope.ref(text(name, "Ref"))),
  "Fn::GetAtt": (argument, scope) => {
    const [resource, attribute] = Array.isArray(argument) ? argument : splitOnce(text(argument, "Fn::GetAtt"), ".");
    return scope.attribute(text(resource, "Fn::GetAtt"), text(resolve(attribute, scope), "Fn::GetAtt"));
  },
  "Fn::Join": (argument, scope) => {
    const [separator, parts] = list(argument, "Fn::Join");
    return list(resolve(parts, scope), "Fn::Join")
      .map((part) => text(part, "Fn::Join"))
      .join(text(separator, "Fn::Join"));
  },
  "Fn::Sub": (argument, scope) => {
    const [pattern, given] = Array.isArray(argument) ? argument : [argument, {}];
    const variables = isRecord(given) ? given : {};
    return substitute(text(pattern, "Fn::Sub"), (name) =>
      text(name in variables ? resolve(variables[name], scope) : referred(name, scope), "Fn::Sub"),
    );
  },
  "Fn::Select": (argument, scope) => {
    const [index, from] = list(resolve(argument, scope), "Fn::Select");
    const items = list(from, "Fn::Select");
    if (!(Number(index) in items))
      throw new FleetError("template", `Fn::Select selects item ${String(index)} of a list of ${items.length}`);
    return items[Number(index)];
  },
  "Fn::Split": (argument, scope) => {
    const [separator, source] = list(resolve(argument, scope), "Fn::Split");
    return text(source, "Fn::Split").split(text(separator, "Fn::Split"));
  },
  "Fn::GetAZs": (_region, scope) => scope.zones,
  "Fn::Base64": (argument, scope) => Buffer.from(text(resolve(argument, scope), "Fn::Base64"), "utf8").toString("base64"),
  "Fn::Cidr": (argument, scope) => {
    const [block, count, bits] = list(resolve(argument, scope), "Fn::Cidr");
    return cidrs({ block: text(block, "Fn::Cidr"), count: Number(count), hostBits: Number(bits) });
  },
  "Fn::FindInMap": (argument, scope) => {
    const [map, first, second] = list(resolve(argument, scope), "Fn::FindInMap").map((part) => text(part, "Fn::FindInMap"));
    return scope.mapping([map ?? "", first ?? "", second ?? ""]);
  },
  "Fn::If": (argument, scope) => {
    const [condition, then, otherwise] = list(argument, "Fn::If");
    return resolve(scope.condition(text(condition, "Fn::If")) ? then : otherwise, scope);
  },
  "Fn::Equals": (argument, scope) => {
    const [left, right] = list(resolve(argument, scope), "Fn::Equals");
    return String(left) === String(right);
  },
  "Fn::Not": (argument, scope) => !truth(list(argument, "Fn::Not")[0], scope),
  "Fn::And": (argument, scope) => list(argument, "Fn::And").every((each) => truth(each, scope)),
  "Fn::Or": (argument, scope) => list(argument, "Fn::Or").some((each) => truth(each, scope)),
};

function carryOut({ name, argument }: Intrinsic, scope: Scope): unknown {
  const carry = functions[name];
  if (!carry) throw new FleetError("template", `The local cloud does not support the function ${name}`);
  return carry(argument, scope);
}

/** Evaluates a condition's expression, in which `{"Condition": name}` refers to another condition. */
export const truth = (expression: unknown, scope: Scope): boolean =>
  isRecord(expression) && typeof expression["Condition"] === "string"
    ? scope.condition(expression["Condition"])
    : resolve(expression, scope) === true;

/** Returns the value of a `${…}` in Fn::Sub: a resource's attribute if it has a dot, otherwise the same as Ref. */
function referred(name: string, scope: Scope): unknown {
  const [resource, attribute] = splitOnce(name, ".");
  return attribute === undefined ? scope.ref(name) : scope.attribute(resource, attribute);
}

/** Returns the names that a pattern of Fn::Sub refers to. */
export function substitutions(pattern: string): string[] {
  const names: string[] = [];
  substitute(pattern, (name) => names.push(name).toString());
  return names;
}

const substitute = (pattern: string, meaning: (name: string) => string): string =>
  pattern.replace(/\$\{(!?)([^}]+)\}/g, (_all, literal: string, name: string) => (literal ? `\${${name}}` : meaning(name.trim())));

function splitOnce(from: string, separator: string): [string, string | undefined] {
  const at = from.indexOf(separator);
  return at < 0 ? [from, undefined] : [from.slice(0, at), from.slice(at + separator.length)];
}

function text(value: unknown, where: string): string {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return String(value);
  throw new FleetError("template", `${where} needs a string, but has ${JSON.stringify(value)}`);
}

function list(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new FleetError("template", `${where} needs a list, but has ${JSON.stringify(value)}`);
}

/** Returns `count` IPv4 blocks of `hostBits` bits each, from the start of `block`. */
function cidrs(of: { block: string; count: number; hostBits: number }): string[] {
  const [address = "", length] = of.block.split("/");
  const start = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** of.hostBits;
  if (of.count * size > 2 ** (32 - Number(length)))
    throw new FleetError("template", `Fn::Cidr: ${of.block} has no room for ${of.count} blocks`);
  return Array.from({ length: of.count }, (_, index) => {
    const at = start + index * size;
    return `${[24, 16, 8, 0].map((shift) => Math.floor(at / 2 ** shift) % 256).join(".")}/${32 - of.hostBits}`;
  });
}
