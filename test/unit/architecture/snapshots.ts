import { closeOf, withoutText } from "./code-text.ts";
import type { Module } from "./modules.ts";

/** The module whose builders make snapshots for all tests. */
const builders = "test/fakes/builders.ts";

/** A literal that names all of these is a snapshot. Views and what a ledger loads lack `nowMs`; changes of a snapshot lack one of them. */
const marks = ["nowMs", "queue", "openLaunches"] as const;

/**
 * Returns the place of every snapshot that a test writes as a literal. It should call `aSnapshot` instead, with what matters to the test,
 * so that a new field of `Snapshot` changes one builder.
 */
export function snapshotLiterals({ path, source }: Module): readonly string[] {
  if (path === builders || !source.includes("openLaunches")) return [];
  const text = withoutText(source);
  return [...text.matchAll(/\{/g)]
    .filter(({ index }) => isSnapshot(text, index))
    .map(({ index }) => `${path}:${text.slice(0, index).split("\n").length} writes a snapshot as a literal; call aSnapshot`);
}

function isSnapshot(text: string, open: number): boolean {
  const end = closeOf(text, open);
  if (/\baSnapshot\(\s*$/.test(text.slice(0, open)) || isPattern(text.slice(end))) return false;
  const names = namesIn(text.slice(open + 1, end - 1));
  return marks.every((mark) => names.has(mark));
}

/** Reports whether the braces before `rest` take a value apart: they are a parameter, or are assigned to. */
const isPattern = (rest: string): boolean => /^\s*(?:=(?![=>])|:\s*Snapshot\b|\)\s*(?::[^=;{]*)?(?:=>|\{))/.test(rest);

/** Returns the names of the properties of a literal, without those of literals inside it. */
function namesIn(inside: string): ReadonlySet<string> {
  let flat = "";
  for (let at = 0; at < inside.length; at += 1) {
    const char = inside[at] ?? "";
    if ("([{".includes(char)) at = closeOf(inside, at) - 1;
    else flat += char;
  }
  return new Set(flat.split(",").map((part) => /^\s*(\w+)/.exec(part)?.[1] ?? ""));
}
