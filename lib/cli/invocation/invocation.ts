import { isAbsolute, join, relative } from "node:path";
import { isInstalled, packageRoot } from "./folders.ts";

/** How this process was started. */
export type ProcessStart = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Whether it is the built command, without a checkout. */
  readonly installed: boolean;
  readonly root: string;
};

/** The options of every command that decide which deployment it uses. They may stand anywhere before `--`. */
const withValue: ReadonlySet<string> = new Set(["--name"]);
const alone: ReadonlySet<string> = new Set(["--aws", "--local"]);

/** Returns what this user types for `fleet`, so that a hint can be pasted unchanged. */
export function startOf({ environment, argv, cwd, installed, root }: ProcessStart): string {
  const own = environment["FLEETWRIGHT_COMMAND"];
  if (own) return own;
  if (installed) return environment["npm_command"] === "exec" ? npx(environment["npm_config_package"]) : "fleet";
  if (environment["npm_lifecycle_event"] !== undefined && environment["npm_package_json"] === join(root, "package.json")) {
    const from = environment["INIT_CWD"] ?? cwd;
    return isWithin(root, from) ? "npm run -s fleet --" : `npm --prefix ${quoted(root)} run -s fleet --`;
  }
  const [, script = ""] = argv;
  if (!script.endsWith(join("cli", "fleet.ts"))) return "fleet";
  return `node ${pathFrom(cwd, script)}`;
}

/** Returns a path that can be pasted in this folder: relative if it lies below, otherwise as given. */
export const pathFrom = (folder: string, path: string): string => quoted(isWithin(folder, path) ? relative(folder, path) : path);

const npx = (spec: string | undefined): string => (spec ? `npx --package ${quoted(spec)} fleet` : "npx fleet");

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === "" || (!way.startsWith("..") && !isAbsolute(way));
}

/** Returns those of the user's options that a hint must repeat, because without them it would use another deployment. */
export function targetOptions(argv: readonly string[]): string[] {
  const end = argv.indexOf("--");
  const args = argv.slice(2, end < 0 ? undefined : end);
  return args.flatMap((arg, index) => {
    const [option = ""] = arg.split("=", 1);
    if (alone.has(arg)) return [arg];
    if (!withValue.has(option)) return [];
    const value = arg === option ? args[index + 1] : arg.slice(option.length + 1);
    return value === undefined ? [] : [option, value];
  });
}

/** Quotes a word for a POSIX shell, if needed. */
export const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

const call: ProcessStart = {
  environment: process.env,
  argv: process.argv,
  cwd: process.cwd(),
  installed: isInstalled,
  root: packageRoot,
};
const start = startOf(call);
const target = targetOptions(call.argv);

/** Returns a command to paste, for the same deployment as this one: `commandLine("jobs", "--team", team)`. All hints use it. */
export const commandLine = (...words: readonly string[]): string => [start, ...[...target, ...words].map(quoted)].join(" ");

/** Returns a command to paste that uses no deployment, or that chooses one. */
export const bareCommandLine = (...words: readonly string[]): string => [start, ...words.map(quoted)].join(" ");

/** Returns the command that starts a local cloud. An installed command cannot start one. */
export const startLocalLine = (): string =>
  isInstalled ? "npm run -s fleet local (in a checkout of Fleetwright)" : bareCommandLine("local");

/** Replaces `fleet` in a help text with what this user types for it, wherever a command `fleet NAME` stands. */
export function asCalled(text: string, names: readonly string[], typed: string = start): string {
  if (typed === "fleet") return text;
  const command = new RegExp(`(^|[\\s"'(|])fleet (?=(?:--?[a-z]|\\[options\\]|COMMAND\\b|(?:${names.join("|")})\\b))`, "gm");
  return text.replaceAll(command, (_all, before: string) => `${before}${typed} `);
}
