import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { callFaults } from "./ports.ts";

/** A place in a flow's source where it calls a port. A handler can die there, before the call or after it. */
export type Site = {
  /** `place/carry-out.ts:103 retire fleet.terminate` */
  readonly name: string;
  readonly file: string;
  readonly line: number;
  /** `fleet.terminate` */
  readonly point: string;
};

const flows = join(import.meta.dirname, "..", "..", "flows");
const call = new RegExp(`(?<![\\w$])(?:${Object.keys(callFaults).join("|")})\\.(\\w+)\\(`, "g");
const declared = /^(?:export )?(?:async )?(?:function\*? (\w+)|const (\w+) = (?:async )?\()/;

/** Returns every site of all flows, sorted by file. */
export function readSites(): readonly Site[] {
  return readdirSync(flows, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".ts"))
    .sort()
    .flatMap((file) => sitesIn(file, readFileSync(join(flows, file), "utf8")));
}

export function sitesIn(file: string, source: string): Site[] {
  let inside = "";
  return source.split("\n").flatMap((text, at) => {
    const [, one, other] = declared.exec(text) ?? [];
    inside = one ?? other ?? inside;
    if (/^\s*(?:\*|\/\/|\/\*)/.test(text)) return [];
    // An array may have the name of a port, and ports have no methods that arrays have.
    return [...text.matchAll(call)].flatMap(([found, method = ""]) => {
      const point = found.slice(0, -1);
      return method in Array.prototype ? [] : [{ name: `${file}:${at + 1} ${inside} ${point}`, file, line: at + 1, point }];
    });
  });
}

/** Returns the files of flows that a file imports, itself included. Those that `place.ts` reaches launch and terminate. */
export function reachedFrom(file: string): ReadonlySet<string> {
  const known = reachedBefore.get(file);
  if (known) return known;
  const reached = new Set<string>();
  const visit = (name: string): void => {
    if (reached.has(name)) return;
    reached.add(name);
    const source = readFileSync(join(flows, name), "utf8");
    for (const [, imported = ""] of source.matchAll(/^(?:import|\}) .*?from "(\.[\w./-]+\.ts)";$/gm)) {
      const path = posix.join(posix.dirname(name), imported);
      if (!path.startsWith("../")) visit(path);
    }
  };
  visit(file);
  reachedBefore.set(file, reached);
  return reached;
}
/** A cache, because sources do not change while they run and each run asks. */
const reachedBefore = new Map<string, ReadonlySet<string>>();

/** Returns where in the flows the current call was made. Undefined if it was made elsewhere. */
export function callSite(): { readonly file: string; readonly line: number } | undefined {
  const trace = new Error("where").stack ?? "";
  const [, file, line] = /[\\/]lib[\\/]flows[\\/]([\w\\/-]+\.ts):(\d+):\d+/.exec(trace) ?? [];
  return file === undefined || line === undefined ? undefined : { file: file.replaceAll("\\", "/"), line: Number(line) };
}

export const isAt = (site: Site, where: ReturnType<typeof callSite>): boolean => site.file === where?.file && site.line === where.line;
