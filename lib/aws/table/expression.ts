/** An attribute, or the path to a value inside it. */
type Path = string | readonly string[];
type Placeholders = { name(path: Path): string; value(value: unknown): string };

/** A condition that must hold for a write to happen. */
export type Condition = (of: Placeholders) => string;

export const is =
  (path: Path, value: unknown): Condition =>
  (of) =>
    `${of.name(path)} = ${of.value(value)}`;
export const isNot =
  (path: Path, value: unknown): Condition =>
  (of) =>
    `${of.name(path)} <> ${of.value(value)}`;
export const isOneOf =
  (path: Path, values: readonly unknown[]): Condition =>
  (of) =>
    `${of.name(path)} IN (${values.map(of.value).join(", ")})`;
export const isAtMost =
  (path: Path, value: number): Condition =>
  (of) =>
    `${of.name(path)} <= ${of.value(value)}`;
export const isBelow =
  (path: Path, value: number): Condition =>
  (of) =>
    `${of.name(path)} < ${of.value(value)}`;
export const isAbove =
  (path: Path, value: string): Condition =>
  (of) =>
    `${of.name(path)} > ${of.value(value)}`;
/** The value is in the range from `least` to `most`, both included. */
export const isBetween =
  (path: Path, least: string, most: string): Condition =>
  (of) =>
    `${of.name(path)} BETWEEN ${of.value(least)} AND ${of.value(most)}`;
export const beginsWith =
  (path: Path, start: string): Condition =>
  (of) =>
    `begins_with(${of.name(path)}, ${of.value(start)})`;
export const isThere =
  (path: Path): Condition =>
  (of) =>
    `attribute_exists(${of.name(path)})`;
export const isAbsent =
  (path: Path): Condition =>
  (of) =>
    `attribute_not_exists(${of.name(path)})`;
/** The set does not exist or has fewer members than `count`. */
export const hasFewerThan =
  (path: Path, count: number): Condition =>
  (of) =>
    `(attribute_not_exists(${of.name(path)}) OR size(${of.name(path)}) < ${of.value(count)})`;
/** The map has no entries. */
export const isEmpty =
  (path: Path): Condition =>
  (of) =>
    `size(${of.name(path)}) = ${of.value(0)}`;
export const either =
  (...conditions: readonly Condition[]): Condition =>
  (of) =>
    `(${conditions.map((condition) => condition(of)).join(" OR ")})`;

/** A single change that an update makes to an item. */
export type Change = { readonly clause: "SET" | "REMOVE" | "ADD"; readonly write: (of: Placeholders) => string };

/** Sets an attribute or an entry, or removes it if the value is undefined. */
export const set = (path: Path, value: unknown): Change =>
  value === undefined
    ? { clause: "REMOVE", write: (of) => of.name(path) }
    : { clause: "SET", write: (of) => `${of.name(path)} = ${of.value(value)}` };
/** Sets an attribute unless it has a value. */
export const setOnce = (path: Path, value: unknown): Change => ({
  clause: "SET",
  write: (of) => `${of.name(path)} = if_not_exists(${of.name(path)}, ${of.value(value)})`,
});
/** Adds to a number. A missing one counts as 0. */
export const add = (attribute: string, amount: number): Change => ({
  clause: "ADD",
  write: (of) => `${of.name(attribute)} ${of.value(amount)}`,
});
/** Adds a member to a set of strings. */
export const include = (attribute: string, member: string): Change => ({
  clause: "ADD",
  write: (of) => `${of.name(attribute)} ${of.value(new Set([member]))}`,
});
export const setAll = (values: Readonly<Record<string, unknown>>): Change[] =>
  Object.entries(values).map(([name, value]) => set(name, value));

type Written = {
  readonly KeyConditionExpression?: string;
  readonly FilterExpression?: string;
  readonly ProjectionExpression?: string;
  readonly UpdateExpression?: string;
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, unknown>;
};

/** Returns an expression with a placeholder for every name and value, so that no attribute can clash with a reserved word. */
export function expression(parts: {
  changes?: readonly Change[];
  when?: readonly Condition[];
  keyIs?: Readonly<Record<string, string>>;
  /** Conditions on the sort key. */
  within?: readonly Condition[];
  only?: readonly Condition[];
  /** The attributes to read; all attributes if undefined. */
  reads?: readonly string[];
}): Written {
  const names: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  const named = new Map<string, string>();
  const placeholder = (attribute: string): string => {
    const known = named.get(attribute) ?? `#${named.size}`;
    named.set(attribute, known);
    names[known] = attribute;
    return known;
  };
  const of: Placeholders = {
    name: (path) => (typeof path === "string" ? placeholder(path) : path.map(placeholder).join(".")),
    value: (value) => {
      const key = `:${Object.keys(values).length}`;
      values[key] = defined(value);
      return key;
    },
  };
  const all = (conditions: readonly Condition[]): string => conditions.map((condition) => condition(of)).join(" AND ");
  const { changes = [], when = [], keyIs, within = [], only = [], reads = [] } = parts;
  const update = (["SET", "REMOVE", "ADD"] as const).flatMap((clause) => {
    const its = changes.filter((change) => change.clause === clause).map((change) => change.write(of));
    return its.length > 0 ? [`${clause} ${its.join(", ")}`] : [];
  });
  return {
    ...(keyIs ? { KeyConditionExpression: all([...Object.entries(keyIs).map(([name, value]) => is(name, value)), ...within]) } : {}),
    ...(only.length > 0 ? { FilterExpression: all(only) } : {}),
    ...(reads.length > 0 ? { ProjectionExpression: reads.map(of.name).join(", ") } : {}),
    ...(update.length > 0 ? { UpdateExpression: update.join(" ") } : {}),
    ...(when.length > 0 ? { ConditionExpression: all(when) } : {}),
    ...(named.size > 0 ? { ExpressionAttributeNames: names } : {}),
    ...(Object.keys(values).length > 0 ? { ExpressionAttributeValues: values } : {}),
  };
}

/** Returns the value without undefined fields at any depth, because DynamoDB has no undefined. */
export function defined<T>(value: T): T;
export function defined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => defined(each));
  if (typeof value !== "object" || value === null || value instanceof Uint8Array || value instanceof Set) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, each]) => (each === undefined ? [] : [[key, defined(each)]])));
}
