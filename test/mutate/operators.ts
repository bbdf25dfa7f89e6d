import { child, maybe, parsed, running, type Syntax } from "./syntax.ts";

/** A change of one place in a source: the text from `start` to `end` becomes `to`. */
export type Edit = { readonly start: number; readonly end: number; readonly to: string };
export type Mutation = Edit & { readonly operator: Operator };

type Rule = (node: Syntax, source: string) => readonly Edit[];

const textOf = ({ start, end }: Syntax, source: string): string => source.slice(start, end);
const instead = ({ start, end }: Syntax, to: string): Edit => ({ start, end, to });

const comparisons: Readonly<Record<string, string>> = { "<": "<=", "<=": "<", ">": ">=", ">=": ">", "===": "!==", "!==": "===" };
const signs: Readonly<Record<string, string>> = { "+": "-", "-": "+", "+=": "-=", "-=": "+=", "++": "--", "--": "++" };
const dropped = new Set(["filter", "sort", "toSorted", "slice", "reverse", "toReversed"]);

/** Replaces the operator between two operands. The parentheses keep the operands together. */
function between(node: Syntax, to: string, source: string): Edit {
  return instead(node, `(${textOf(child(node, "left"), source)} ${to} ${textOf(child(node, "right"), source)})`);
}

/** Each operator with the changes that it makes at one node of the tree; an empty list if it makes none there. */
const rules = {
  "negate-if": (node, source) =>
    node.type === "IfStatement" ? [instead(child(node, "test"), `!(${textOf(child(node, "test"), source)})`)] : [],

  ternary: (node, source) => {
    if (node.type !== "ConditionalExpression") return [];
    const [test, yes, no] = ["test", "consequent", "alternate"].map((name) => textOf(child(node, name), source));
    return [instead(node, `${test} ? (${no}) : (${yes})`)];
  },

  "drop-not": (node, source) =>
    node.type === "UnaryExpression" && node["operator"] === "!" ? [instead(node, `(${textOf(child(node, "argument"), source)})`)] : [],

  "drop-await": (node, source) => (node.type === "AwaitExpression" ? [instead(node, textOf(child(node, "argument"), source))] : []),

  "and-or": (node, source) =>
    node.type === "LogicalExpression" && node["operator"] !== "??" ? [between(node, node["operator"] === "&&" ? "||" : "&&", source)] : [],

  compare: (node, source) => {
    const to = node.type === "BinaryExpression" ? comparisons[String(node["operator"])] : undefined;
    return to === undefined ? [] : [between(node, to, source)];
  },

  "plus-minus": (node, source) => {
    const to = signs[String(node["operator"])];
    if (to === undefined || isText(node)) return [];
    if (node.type === "BinaryExpression") return [between(node, to, source)];
    if (node.type === "AssignmentExpression") {
      return [instead(node, `${textOf(child(node, "left"), source)} ${to} ${textOf(child(node, "right"), source)}`)];
    }
    return node.type === "UpdateExpression" ? [instead(node, textOf(node, source).replace(String(node["operator"]), to))] : [];
  },

  "drop-call": (node, source) => {
    const called = node.type === "ExpressionStatement" ? callIn(child(node, "expression")) : undefined;
    return called === undefined || isNoLoss(textOf(child(called, "callee"), source)) ? [] : [instead(node, ";")];
  },

  "return-early": (node, source) => {
    const body = /Function(?:Declaration|Expression)$/.test(node.type) ? maybe(node, "body") : undefined;
    if (body?.type !== "BlockStatement" || (body["body"] as unknown[]).length === 0) return [];
    return earlyReturns(node, source).map((value) => ({ start: body.start + 1, end: body.start + 1, to: ` return${value};` }));
  },

  boolean: (node) => (typeof node["value"] === "boolean" && node.type === "Literal" ? [instead(node, String(!node["value"]))] : []),

  number: (node) => {
    const value = node["value"];
    if (node.type !== "Literal" || typeof value !== "number") return [];
    // One more of a small number is another case; one more of a large one, such as a timeout, is seldom worth a test.
    return [instead(node, String(value < 10 ? value + 1 : value * 2))];
  },

  "drop-method": (node, source) => {
    const callee = node.type === "CallExpression" ? child(node, "callee") : undefined;
    if (callee?.type !== "MemberExpression" || !dropped.has(String(child(callee, "property")["name"]))) return [];
    return [instead(node, textOf(child(callee, "object"), source))];
  },

  "drop-property": (node, source) => {
    if (node.type !== "ObjectExpression") return [];
    return (node["properties"] as readonly Syntax[]).map(({ start, end }) => {
      const comma = /^\s*,/.exec(source.slice(end))?.[0].length ?? 0;
      return { start, end: end + comma, to: "" };
    });
  },
} as const satisfies Readonly<Record<string, Rule>>;

export type Operator = keyof typeof rules;

/** Returns whether an operand shows that `+` joins texts. The compiler refuses the other cases. */
const isText = (node: Syntax): boolean =>
  [maybe(node, "left"), maybe(node, "right")].some(
    (side) => side?.type === "TemplateLiteral" || (side?.type === "Literal" && typeof side["value"] === "string"),
  );

/** Returns the comparison and the two ones of `a < b ? -1 : 1`. */
function partsOfOrder(node: Syntax): readonly Syntax[] {
  if (node.type !== "ConditionalExpression" || !/^[<>]$/.test(String(child(node, "test")["operator"]))) return [];
  const ones = [child(node, "consequent"), child(node, "alternate")]
    .map((each) => (each.type === "UnaryExpression" ? child(each, "argument") : each))
    .filter((each) => each["value"] === 1);
  return ones.length === 2 ? [child(node, "test"), ...ones] : [];
}

function callIn(expression: Syntax): Syntax | undefined {
  const inner = expression.type === "AwaitExpression" ? child(expression, "argument") : expression;
  return inner.type === "CallExpression" ? inner : undefined;
}

/** Returns whether a call writes only to the log, or whether nothing can run without it. */
const isNoLoss = (callee: string): boolean => /(?:^super|\b(?:log|console|logger)(?:\.\w+)?)$/.test(callee);

/** Returns the values that a function of this declared type could return at once. The compiler refuses those that do not fit. */
function earlyReturns(node: Syntax, source: string): readonly string[] {
  const declared = maybe(node, "returnType");
  if (!declared) return [""];
  const type = textOf(declared, source).replace(/^:\s*/, "");
  const of = /^Promise<(.*)>$/s.exec(type)?.[1] ?? type;
  if (of === "void") return [""];
  if (of === "boolean" || /^\w+ is /.test(of)) return [" true", " false"];
  if (of.endsWith("[]")) return [" []"];
  if (of === "number") return [" 0"];
  if (of === "string") return [' ""'];
  return of.endsWith("undefined") ? [" undefined"] : [];
}

/** Returns every change that the operators make to a source. */
export function mutationsOf(source: string): readonly Mutation[] {
  const all = [...running(parsed(source))];
  // A `for` that counts the other way is endless, which shows nothing.
  const counting = new Set(all.flatMap((node) => (node.type === "ForStatement" ? (maybe(node, "update") ?? []) : [])));
  // Only the sign of what the order of two things returns counts, and an order with two outcomes leaves open which of two equals is first.
  const orders = new Set(all.flatMap(partsOfOrder));
  const nodes = all.filter((node) => !counting.has(node) && !orders.has(node));
  return (Object.entries(rules) as [Operator, Rule][]).flatMap(([operator, rule]) =>
    nodes.flatMap((node) => rule(node, source)).map((edit) => ({ ...edit, operator })),
  );
}

export const mutated = (source: string, { start, end, to }: Edit): string => source.slice(0, start) + to + source.slice(end);
