import { isDeepStrictEqual } from "node:util";
import type { PlainItem } from "./item-bytes.ts";

/** An expression with its placeholders, as calls contain it. */
export type Given = {
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>> | undefined;
  readonly ExpressionAttributeValues?: PlainItem | undefined;
};

type Value = (item: PlainItem, given: Given) => unknown;
type Test = (item: PlainItem, given: Given) => boolean;

const known = new Map<string, Test>();
/** The most expressions that are remembered. */
const maxKnown = 1_000;

/** Reports whether an item meets a condition. Throws if the condition uses what `lib/aws/table/expression.ts` never writes. */
export function meets(item: PlainItem, condition: string | undefined, given: Given): boolean {
  if (condition === undefined) return true;
  const test = known.get(condition) ?? parsed(condition);
  if (known.size >= maxKnown) known.clear();
  known.set(condition, test);
  return test(item, given);
}

const tokensOf = (text: string): string[] => text.match(/[#:]?[A-Za-z0-9_]+|<>|<=|>=|[=<>(),.]/g) ?? [];

function parsed(condition: string): Test {
  const parser = new Parser(tokensOf(condition));
  const test = parser.either();
  parser.end();
  return test;
}

/** Returns the attribute or entry that a path such as `#0.#1` names. */
export function valueAt(item: PlainItem, path: readonly string[]): unknown {
  let value: unknown = item;
  for (const name of path) value = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
  return value;
}

export const namesIn = (path: string, { ExpressionAttributeNames = {} }: Given): readonly string[] =>
  path.split(".").map((each) => ExpressionAttributeNames[each.trim()] ?? each.trim());

export const valueNamed = (name: string, { ExpressionAttributeValues = {} }: Given): unknown => ExpressionAttributeValues[name.trim()];

/** Reads conditions, from the operator that binds least to the one that binds most. */
class Parser {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  end(): void {
    if (this.#at < this.#tokens.length) throw new Error(`a condition goes on with ${this.#tokens[this.#at]}`);
  }

  either(): Test {
    const one = this.#all();
    if (!this.#take("OR")) return one;
    const other = this.either();
    return (item, given) => one(item, given) || other(item, given);
  }

  #all(): Test {
    const one = this.#single();
    if (!this.#take("AND")) return one;
    const other = this.#all();
    return (item, given) => one(item, given) && other(item, given);
  }

  #single(): Test {
    if (this.#take("(")) {
      const inner = this.either();
      this.#expect(")");
      return inner;
    }
    if (this.#take("attribute_exists")) return this.#ofArgument((value) => value !== undefined);
    if (this.#take("attribute_not_exists")) return this.#ofArgument((value) => value === undefined);
    if (this.#take("begins_with")) return this.#beginsWith();
    return this.#comparison(this.#operand());
  }

  #ofArgument(test: (value: unknown) => boolean): Test {
    this.#expect("(");
    const of = this.#operand();
    this.#expect(")");
    return (item, given) => test(of(item, given));
  }

  #beginsWith(): Test {
    this.#expect("(");
    const of = this.#operand();
    this.#expect(",");
    const start = this.#operand();
    this.#expect(")");
    return (item, given) => {
      const value = of(item, given);
      return typeof value === "string" && value.startsWith(String(start(item, given)));
    };
  }

  #comparison(left: Value): Test {
    const operator = this.#next();
    if (operator === "IN") return this.#oneOf(left);
    if (operator === "BETWEEN") {
      const least = this.#operand();
      this.#expect("AND");
      const most = this.#operand();
      return (item, given) =>
        compare(left(item, given), least(item, given), (order) => order >= 0) &&
        compare(left(item, given), most(item, given), (order) => order <= 0);
    }
    const right = this.#operand();
    const holds = orders[operator];
    if (operator === "=") return (item, given) => isSame(left(item, given), right(item, given));
    // A missing attribute differs from every value.
    if (operator === "<>") return (item, given) => !isSame(left(item, given), right(item, given));
    if (!holds) throw new Error(`a condition has the operator ${operator}, which is not known`);
    return (item, given) => compare(left(item, given), right(item, given), holds);
  }

  #oneOf(left: Value): Test {
    const members: Value[] = [];
    this.#expect("(");
    do members.push(this.#operand());
    while (this.#take(","));
    this.#expect(")");
    return (item, given) => members.some((member) => isSame(left(item, given), member(item, given)));
  }

  #operand(): Value {
    const token = this.#next();
    if (token === "size") {
      this.#expect("(");
      const of = this.#operand();
      this.#expect(")");
      return (item, given) => sizeOf(of(item, given));
    }
    if (token.startsWith(":")) return (_item, given) => valueNamed(token, given);
    const path = [token];
    while (this.#take(".")) path.push(this.#next());
    const text = path.join(".");
    return (item, given) => valueAt(item, namesIn(text, given));
  }

  #next(): string {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new Error("a condition ends too soon");
    return token;
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at += 1;
    return true;
  }

  #expect(token: string): void {
    const found = this.#next();
    if (found !== token) throw new Error(`a condition has ${found} instead of ${token}`);
  }
}

const orders: Readonly<Record<string, (order: number) => boolean>> = {
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

const isSame = (one: unknown, other: unknown): boolean => one !== undefined && isDeepStrictEqual(one, other);

/** Compares two strings by their bytes, or two numbers. Values of other types, or of two types, have no order. */
function compare(one: unknown, other: unknown, holds: (order: number) => boolean): boolean {
  if (typeof one === "string" && typeof other === "string") return holds(byBytes(one, other));
  return typeof one === "number" && typeof other === "number" && holds(one - other);
}

export const byBytes = (one: string, other: string): number => (one === other ? 0 : Buffer.compare(Buffer.from(one), Buffer.from(other)));

function sizeOf(value: unknown): number | undefined {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (value instanceof Set) return value.size;
  if (value instanceof Uint8Array) return value.byteLength;
  if (Array.isArray(value)) return value.length;
  return typeof value === "object" && value !== null ? Object.keys(value).length : undefined;
}
