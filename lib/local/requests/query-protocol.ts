import { randomUUID } from "node:crypto";
import { inWords } from "../../model/errors/in-words.ts";
import type { HttpCall, HttpResponse } from "./http.ts";

/** An error as EC2 returns it. Any other error that is thrown is returned as an InternalError. */
export class Ec2Error extends Error {
  readonly code: string;
  readonly status: number;
  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = "Ec2Error";
    this.code = code;
    this.status = status;
  }
}

/** The content of a form or a response. Lists are numbered names in a form and `<item>` elements in a response. */
export type Tree = string | readonly Tree[] | { readonly [name: string]: Tree | undefined };

/** Returns the parameters of an EC2 call, from its query and its body. */
export function formOf(call: HttpCall): URLSearchParams {
  const form = new URLSearchParams(/\?(.*)$/s.exec(call.path)?.[1]);
  for (const [name, value] of new URLSearchParams(call.body.toString("utf8"))) form.append(name, value);
  return form;
}

type Branch = Map<string, Branch | string>;

/** Converts `A.1.B=x` to `{A: [{B: "x"}]}`. Throws if a name is both a value and a branch. */
export function treeOf(form: URLSearchParams): Tree {
  const root: Branch = new Map();
  for (const [name, value] of form) {
    const parts = name.split(".");
    const last = parts.pop() ?? name;
    let branch = root;
    for (const part of parts) {
      const next = branch.get(part) ?? new Map();
      if (typeof next === "string") throw new Ec2Error("InvalidParameterCombination", `The parameter ${name} is given twice`);
      branch.set(part, next);
      branch = next;
    }
    branch.set(last, value);
  }
  return plain(root);
}

function plain(node: Branch | string): Tree {
  if (typeof node === "string") return node;
  const names = [...node.keys()];
  if (names.length > 0 && names.every((name) => /^[0-9]+$/.test(name))) {
    return [...node].sort(([a], [b]) => Number(a) - Number(b)).map(([, value]) => plain(value));
  }
  return Object.fromEntries([...node].map(([name, value]) => [name, plain(value)]));
}

export const escapeXml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

function element(name: string, value: Tree | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "string") return `<${name}>${escapeXml(value)}</${name}>`;
  const inside = isList(value)
    ? value.map((item) => element("item", item)).join("")
    : Object.entries(value)
        .map(([child, inner]) => element(child, inner))
        .join("");
  return `<${name}>${inside}</${name}>`;
}

const isList = (value: Exclude<Tree, string>): value is readonly Tree[] => Array.isArray(value);

const xml = { "content-type": "text/xml;charset=UTF-8" };

export function xmlResponse(action: string, result: { readonly [name: string]: Tree | undefined }): HttpResponse {
  const inside = element(`${action}Response`, { requestId: randomUUID(), ...result }).replace(
    ">",
    ' xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">',
  );
  return { status: 200, headers: xml, body: `<?xml version="1.0" encoding="UTF-8"?>\n${inside}` };
}

export function errorResponse(error: Ec2Error): HttpResponse {
  const body = element("Response", { Errors: { Error: { Code: error.code, Message: inWords(error) } }, RequestID: randomUUID() });
  return { status: error.status, headers: xml, body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}` };
}

/** Returns the region that the caller signed for. */
export function regionOf(call: HttpCall): string {
  return /Credential=[^/]+\/[0-9]+\/([a-z0-9-]+)\//.exec(call.headers["authorization"] ?? "")?.[1] ?? "us-east-1";
}
