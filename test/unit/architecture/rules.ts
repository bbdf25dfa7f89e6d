import { posix } from "node:path";
import { errorWrongs } from "./error-rules.ts";
import { codeOf, localImportsOf, type Module, once, packagesOf } from "./modules.ts";

type Layer = {
  readonly folder: string;
  /** The folders or single files from which it may import, in addition to itself. */
  readonly imports: readonly string[];
  /** The packages and Node modules that it may use; undefined for any except AWS's. */
  readonly packages?: readonly string[];
  /** The AWS packages that it may use: all, or those that match the pattern; undefined for none. */
  readonly aws?: "all" | RegExp;
  /** True if it may read the environment of the process. */
  readonly environment?: true;
  /** True if time and chance must be passed in. */
  readonly timeless?: true;
};

/** The layers, from the model at the bottom to what is deployed. Imports go only in this direction. */
export const layers: readonly Layer[] = [
  { folder: "lib/model", imports: [], packages: [], timeless: true },
  { folder: "lib/optimizer", imports: ["lib/model"], packages: [], timeless: true },
  { folder: "lib/decide", imports: ["lib/model", "lib/optimizer"], packages: [], timeless: true },
  { folder: "lib/ports", imports: ["lib/model"], packages: [] },
  { folder: "events", imports: ["lib/model"], packages: ["zod", "node:crypto", "node:fs", "node:path"] },
  {
    folder: "lib/flows",
    imports: ["lib/model", "lib/decide", "lib/ports", "events"],
    packages: ["zod", "p-map", "node:crypto"],
    timeless: true,
  },
  // It may import the worker's agent, which uses neither files nor processes, because virtual time runs the same agent as nodes do.
  {
    folder: "lib/sim",
    imports: [
      "lib/model",
      "lib/decide",
      "lib/ports",
      "events",
      "lib/flows",
      "lib/worker/attempt/agent.ts",
      "lib/worker/attempt/attempt.ts",
      "lib/worker/attempt/attempt-run.ts",
    ],
    timeless: true,
  },
  { folder: "lib/aws", imports: ["lib/model", "lib/ports", "events"], aws: "all" },
  { folder: "lib/solver", imports: ["lib/model"], packages: ["highs"] },
  {
    folder: "lib/worker",
    imports: ["lib/model", "events"],
    aws: /^@aws-sdk\/(client-(s3|cloudwatch-logs)|lib-storage|credential-providers)$|^@(smithy|aws-crypto)\//,
    environment: true,
  },
  { folder: "lib/api", imports: ["lib/model", "lib/decide", "lib/ports", "events", "lib/flows"] },
  {
    folder: "lib/runtime",
    imports: ["lib/model", "lib/decide", "lib/ports", "events", "lib/flows", "lib/aws", "lib/worker", "lib/api", "lib/solver"],
    environment: true,
  },
  { folder: "lib/local", imports: ["lib/model", "events"], aws: "all", environment: true },
  {
    folder: "lib/cli",
    imports: [
      "lib/model",
      "lib/decide",
      "lib/optimizer",
      "lib/ports",
      "events",
      "lib/aws",
      "lib/api/views",
      "lib/runtime",
      "lib/local",
      "lib/sim",
      "lib/solver",
    ],
    environment: true,
  },
  { folder: "functions", imports: ["lib/model", "lib/ports", "events", "lib/flows", "lib/runtime"] },
  { folder: "cdk", imports: ["lib/model", "events", "lib/runtime"], environment: true },
];

const awsPackages = /^(@aws-sdk|@aws-crypto|@smithy)\//;
const reaches: readonly (readonly [string, RegExp])[] = [
  ["the clock", /\bDate\.now\(|\bnew Date\(\s*\)|\bperformance\.now\(/],
  ["chance", /\bMath\.random\(|\brandomUUID\(|\brandomBytes\(/],
  ["timers", /\bset(?:Timeout|Interval|Immediate)\(/],
];

export const layerOf = (path: string): Layer | undefined => layers.find(({ folder }) => path.startsWith(`${folder}/`));

/** Returns how these modules break the rules, one line each. */
export const wrongs = (modules: readonly Module[]): string[] => {
  const known = new Set(modules.map((module) => module.path));
  return [
    ...modules.flatMap((module) => wrongsOf(module, known)),
    ...cycles(modules).map((path) => `import cycle: ${path}`),
    ...folderCycles(modules).map((path) => `import cycle of folders: ${path}`),
  ];
};

function wrongsOf(module: Module, known: ReadonlySet<string>): string[] {
  const layer = layerOf(module.path);
  if (!layer) return [`${module.path} belongs to no layer`];
  const code = codeOf(module);
  const wrong: string[] = [];
  for (const to of localImportsOf(module)) {
    if (!known.has(to) && !to.endsWith(".json")) wrong.push(`${module.path} imports ${to}, which does not exist`);
    if (!isAllowed(layer, to)) wrong.push(`${module.path} imports ${to}`);
  }
  for (const name of packagesOf(module)) {
    const foreign = layer.packages !== undefined && !layer.packages.includes(name);
    if (foreign || (awsPackages.test(name) && !mayUse(layer, name))) wrong.push(`${module.path} imports ${name}`);
  }
  if (!layer.environment && /\bprocess\.env\b/.test(code)) wrong.push(`${module.path} reads process.env`);
  if (layer.timeless) for (const [what, pattern] of reaches) if (pattern.test(code)) wrong.push(`${module.path} reaches for ${what}`);
  if (/^export default\b/m.test(code) && !/^cdk\/[a-z-]+\.config\.ts$/.test(module.path)) wrong.push(`${module.path} has a default export`);
  return [...wrong, ...errorWrongsOf(module)];
}

const errorWrongsOf = once(errorWrongs);

const mayUse = ({ aws }: Layer, name: string): boolean => aws === "all" || aws?.test(name) === true;

const isAllowed = (from: Layer, to: string): boolean =>
  [from.folder, ...from.imports].some((allowed) => to === allowed || to.startsWith(`${allowed}/`));

export const cycles = (modules: readonly Module[]): string[] =>
  cyclesIn(new Map(modules.map((module) => [module.path, localImportsOf(module)])));

/** Returns the cycles between folders. A file belongs to the folder that it is in, not to the folders above. */
export function folderCycles(modules: readonly Module[]): string[] {
  const imports = new Map<string, Set<string>>();
  for (const module of modules) {
    const folder = posix.dirname(module.path);
    const imported = imports.get(folder) ?? new Set();
    for (const path of localImportsOf(module)) if (posix.dirname(path) !== folder) imported.add(posix.dirname(path));
    imports.set(folder, imported);
  }
  return cyclesIn(imports);
}

/** Returns each cycle once, starting where it was entered. */
function cyclesIn(imports: ReadonlyMap<string, Iterable<string>>): string[] {
  const found: string[] = [];
  const left = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const since = trail.indexOf(path);
    if (since >= 0) found.push([...trail.slice(since), path].join(" → "));
    if (since >= 0 || left.has(path)) return;
    for (const to of imports.get(path) ?? []) visit(to, [...trail, path]);
    left.add(path);
  };
  for (const path of imports.keys()) visit(path, []);
  return found;
}
