import { type Given, namesIn, valueAt, valueNamed } from "./expressions.ts";
import type { PlainItem } from "./item-bytes.ts";

/** Returns the item that an update expression makes of another one. Throws if DynamoDB would refuse the update. */
export function updated(item: PlainItem, update: string | undefined, given: Given): PlainItem {
  let result: PlainItem = item;
  for (const { clause, change } of changesIn(update ?? "")) result = changed(result, item, { clause, change }, given);
  return result;
}

type Single = { readonly clause: string; readonly change: string };

/** Splits an expression such as `SET #0 = :0, #1 = :1 REMOVE #2` into its changes. No placeholder contains a comma. */
function changesIn(update: string): readonly Single[] {
  return update
    .split(/\b(?=(?:SET|REMOVE|ADD|DELETE) )/)
    .filter((part) => part.trim() !== "")
    .flatMap((part) => {
      const [clause = ""] = part.split(" ", 1);
      return part
        .slice(clause.length)
        .split(/,(?![^(]*\))/)
        .map((change) => ({ clause, change: change.trim() }));
    });
}

function changed(item: PlainItem, before: PlainItem, { clause, change }: Single, given: Given): PlainItem {
  if (clause === "REMOVE") return without(item, namesIn(change, given));
  if (clause === "ADD") {
    const [path = "", name = ""] = change.split(" ");
    const names = namesIn(path, given);
    return withValue(item, names, added(valueAt(before, names), valueNamed(name, given)));
  }
  if (clause !== "SET") throw new Error(`an update has the clause ${clause}, which is not known`);
  const [path = "", right = ""] = change.split(" = ");
  return withValue(item, namesIn(path, given), rightSide(right, before, given));
}

function rightSide(right: string, before: PlainItem, given: Given): unknown {
  const once = /^if_not_exists\((.+), (:\w+)\)$/.exec(right);
  if (!once) return right.startsWith(":") ? valueNamed(right, given) : valueAt(before, namesIn(right, given));
  const [, path = "", name = ""] = once;
  return valueAt(before, namesIn(path, given)) ?? valueNamed(name, given);
}

function added(there: unknown, more: unknown): unknown {
  if (more instanceof Set && (there === undefined || there instanceof Set)) return new Set([...(there ?? []), ...more]);
  if (typeof more === "number" && (there === undefined || typeof there === "number")) return (there ?? 0) + more;
  throw invalid("an operand in the update expression has an incorrect data type");
}

function withValue(item: PlainItem, [name, ...rest]: readonly string[], value: unknown): PlainItem {
  if (name === undefined) throw invalid("an update has an empty path");
  if (rest.length === 0) return { ...item, [name]: value };
  return { ...item, [name]: withValue(mapIn(item, name), rest, value) };
}

function without(item: PlainItem, [name = "", ...rest]: readonly string[]): PlainItem {
  if (rest.length > 0) return { ...item, [name]: without(mapIn(item, name), rest) };
  const { [name]: _removed, ...others } = item;
  return others;
}

function mapIn(item: PlainItem, name: string): PlainItem {
  const map = item[name];
  if (typeof map === "object" && map !== null && !Array.isArray(map)) return map as PlainItem;
  throw invalid("the document path in the update expression is invalid for update");
}

const invalid = (message: string): Error => Object.assign(new Error(message), { name: "ValidationException", $fault: "client" });
