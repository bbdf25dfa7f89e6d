import { FleetError } from "../../model/fleet-error.ts";
import { intrinsicOf, isRecord, substitutions } from "./intrinsics.ts";
import type { Template } from "./template.ts";

/**
 * Returns, for each resource, the resources that must exist before it. Throws a FleetError if some depend on each other.
 */
export function dependencies(template: Template): ReadonlyMap<string, ReadonlySet<string>> {
  const names = new Set(Object.keys(template.Resources));
  const needs = new Map<string, ReadonlySet<string>>();
  for (const [id, resource] of Object.entries(template.Resources)) {
    const found = new Set([resource.DependsOn ?? []].flat());
    collect(resource.Properties, found);
    needs.set(id, new Set([...found].filter((name) => names.has(name) && name !== id)));
  }
  refuseCycles(needs);
  return needs;
}

function collect(value: unknown, into: Set<string>): void {
  if (Array.isArray(value)) {
    for (const each of value) collect(each, into);
    return;
  }
  if (!isRecord(value)) return;
  const call = intrinsicOf(value);
  if (call) for (const name of namesIn(call.name, call.argument)) into.add(name);
  for (const each of Object.values(value)) collect(each, into);
}

function namesIn(name: string, argument: unknown): string[] {
  const first: unknown = Array.isArray(argument) ? argument[0] : argument;
  if (typeof first !== "string") return [];
  if (name === "Ref") return [first];
  if (name === "Fn::GetAtt") return first.split(".", 1);
  return name === "Fn::Sub" ? substitutions(first).flatMap((each) => each.split(".", 1)) : [];
}

function refuseCycles(needs: ReadonlyMap<string, ReadonlySet<string>>): void {
  const open = new Map(needs);
  for (;;) {
    const ready = [...open].filter(([, needed]) => [...needed].every((name) => !open.has(name)));
    if (ready.length === 0) break;
    for (const [id] of ready) open.delete(id);
  }
  if (open.size > 0) throw new FleetError("template", `These resources depend on each other: ${[...open.keys()].join(", ")}`);
}
