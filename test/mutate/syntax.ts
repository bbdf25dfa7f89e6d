import { parseAst } from "vitest/node";

/** A node of the syntax tree (ESTree with TypeScript). Offsets count UTF-16 units, as strings do. */
export type Syntax = {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
};

export function parsed(source: string): Syntax {
  const program: unknown = parseAst(source, { lang: "ts" });
  if (!isSyntax(program)) throw new Error("the parser returned no syntax tree");
  return program;
}

/** Types say nothing at run time. These three are expressions with a type, so what they contain does run. */
const withType = new Set(["TSAsExpression", "TSSatisfiesExpression", "TSNonNullExpression"]);

const isSyntax = (value: unknown): value is Syntax => typeof value === "object" && value !== null && "type" in value && "start" in value;

/** Returns a node and everything below it that exists at run time, in the order of the source. */
export function* running(node: Syntax): Generator<Syntax> {
  if (node.type.startsWith("TS") && !withType.has(node.type)) return;
  if (node.type === "ImportDeclaration" || node["exportKind"] === "type") return;
  yield node;
  for (const child of Object.values(node)) {
    if (isSyntax(child)) yield* running(child);
    else if (Array.isArray(child)) for (const each of child) if (isSyntax(each)) yield* running(each);
  }
}

/** Returns a child that the kind of node always has. */
export const child = (node: Syntax, name: string): Syntax => node[name] as Syntax;

/** Returns a child, or undefined if the node has none of that name. */
export const maybe = (node: Syntax, name: string): Syntax | undefined => {
  const found = node[name];
  return isSyntax(found) ? found : undefined;
};
