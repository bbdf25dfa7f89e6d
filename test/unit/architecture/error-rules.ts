import { callsAround, closeOf, withoutText } from "./code-text.ts";
import type { Module } from "./modules.ts";

/**
 * An error must be passed as it was caught, up to the log, which prints its class, stack and causes. Code below the log must not turn it
 * into text. If people need a text, `inWords` or `withCauses` of lib/model/errors makes it, in one of these places:
 *
 * 1. in the message of a new error that has the first one as its `cause`,
 * 2. in the folders of programs that people run in a terminal, and
 * 3. in the modules listed here, each with the purpose of the text.
 *
 * Such a text must not go to a log in place of an error.
 */
export const terminalPrograms: readonly string[] = ["lib/cli/", "cdk/"];

/** Modules whose texts people read: in a job's reason, in a decision record, or in a response of the API or of an AWS service. */
export const edges: ReadonlyMap<string, string> = new Map([
  ["lib/flows/ec2/outcome.ts", "the outcome of a step, in a decision record"],
  ["lib/flows/job/read-job.ts", "why a message is no job, as the job's reason"],
  ["lib/flows/seal-attempt.ts", "why an upload was not kept, as the job's reason"],
  ["lib/aws/ec2/fleet.ts", "what EC2 reports about a launch, in a decision record"],
  ["lib/aws/ec2/fleet-instances.ts", "what EC2 reports about instances, in a decision record"],
  ["lib/aws/table/stored.ts", "which fields of an item cannot be read, in a decision record and in the tick's log"],
  ["lib/api/views/letters.ts", "why a dead letter was not handled, in a response of the API"],
  ["lib/api/operations/many-jobs.ts", "why a job was not cancelled, in a response of the API"],
  ["lib/runtime/stack-response.ts", "why a change failed, as CloudFormation shows it"],
  ["events/s3-refusal.ts", "what S3 reports about an object, at the end of a message for its owner"],
  ["lib/worker/attempt/attempt-run.ts", "why an attempt failed, as the job's reason and in the job's own log"],
  ["lib/worker/attempt/island.ts", "why the last call of a node that ends itself got no response, as the reason of its end"],
  ["lib/worker/program/command.ts", "why docker or nvidia-smi did not run, in a job's reason"],
  ["lib/worker/run/processes.ts", "why a job's command did not start, as the job's reason"],
  ["lib/worker/artifacts/upload.ts", "why a file was left out, in the attempt's manifest"],
  ["lib/local/access/guard.ts", "why a policy of a session cannot be used, in a response of the emulated STS"],
  ["lib/local/controls.ts", "a response of the local cloud's controls"],
  ["lib/local/requests/query-protocol.ts", "a response of the emulated EC2"],
  ["lib/local/ec2/calls/create-fleet.ts", "a response of the emulated EC2"],
  ["lib/local/ec2/instances/instance-process.ts", "why an emulated instance ended, as EC2 shows it"],
  ["lib/local/lambda/function-error.ts", "an error in the format of Lambda's responses"],
  ["lib/sim/world/story.ts", "the story of a simulated run, in its report"],
]);

/** Modules that define the conversions of errors, so the rules do not apply to them. */
const makers: ReadonlySet<string> = new Set(["lib/model/errors/in-words.ts", "lib/model/errors/logged-error.ts"]);

/** Modules that read the fields of an error themselves, because they translate its shape. */
const readers: ReadonlySet<string> = new Set(["lib/local/lambda/function-error.ts"]);

const words = /\b(?:inWords|withCauses)\b/g;
const logs = /(?:^|[.#\s])(?:log|logger|trace|debug|info|warn|error|critical)$/;

/** Returns how a module breaks the rules for errors, one line each. */
export function errorWrongs(module: Module): string[] {
  const { path } = module;
  if (makers.has(path)) return [];
  const text = withoutText(module.source);
  const wrong: string[] = [...uncaused(text).map((what) => `${path} wraps an error without its cause: ${what}`)];
  if (terminalPrograms.some((folder) => path.startsWith(folder))) return wrong;
  if (!readers.has(path)) wrong.push(...texts(text).map((what) => `${path} makes a text of an error: ${what}`));
  for (const use of usesOfWords(module)) {
    if (use.isLogged) wrong.push(`${path} logs the words of an error instead of the error`);
    else if (!use.isCaused && !edges.has(path))
      wrong.push(`${path} makes a text for people of an error, but is not listed in error-rules.ts`);
  }
  return wrong;
}

/** Returns the names that stand for errors in a module: those that it catches, tests or declares as errors, and the usual names. */
export function namesOfErrors(text: string): ReadonlySet<string> {
  const bound = [
    /\bcatch\s*\(\s*(\w+)/g,
    /\.catch\(\s*(?:async\s*)?\(?\s*(\w+)\s*(?=[:,)=])/g,
    /\b(\w+)\s+instanceof\s+\w*(?:Error)\b/g,
    /\b(\w+)\??:\s*\w*(?:Error)\b(?!\s*[[<(.])/g,
    /\b(error|err|cause|reason|failure|thrown|trouble)\??:\s*unknown\b/g,
  ].flatMap((pattern) => [...text.matchAll(pattern)].map(([, name = ""]) => name));
  return new Set(["error", "err", ...bound].filter((name) => name !== ""));
}

/** Returns each expression that turns an error into text. */
function texts(text: string): string[] {
  const name = `(?:[\\w.?]+\\.)?(?:${[...namesOfErrors(text)].join("|")})`;
  const patterns = [
    `\\bString\\(\\s*${name}\\s*\\)`,
    `\\$\\{\\s*${name}\\s*\\}`,
    `\\b${name}(?:\\?)?\\.(?:message|stack|toString)\\b`,
    `\\{[^{}]*\\b(?:message|stack)\\b[^{}]*\\}\\s*=\\s*${name}\\b`,
    `\\bcatch\\s*\\(\\s*\\(?\\s*\\{[^}]*\\b(?:message|stack)\\b`,
    `\\+\\s*${name}\\b(?!\\s*[.?(\\[\\w])`,
    `\\b(?:JSON\\.stringify|inspect|format)\\(\\s*${name}\\b\\s*[,)]`,
    `\\b(?:errors|failures)\\??\\.map\\(\\s*String\\s*\\)`,
    `\\bString\\(\\s*[\\w.]+\\.reason\\s*\\)|\\.reason\\.(?:message|stack)\\b`,
  ];
  return patterns.flatMap((pattern) => [...text.matchAll(new RegExp(pattern, "g"))].map(([found]) => found.replaceAll(/\s+/g, " ")));
}

type Use = { readonly isLogged: boolean; readonly isCaused: boolean };

/** Returns each use of the functions that turn errors into words, except their import. */
export function usesOfWords({ source }: Module): readonly Use[] {
  const imported = /^(?:import|export)\b[^;]*\bfrom\s*"[^"]*errors\/in-words\.ts";/gm;
  if (!imported.test(source)) return [];
  const code = withoutText(source.replaceAll(imported, (statement) => statement.replaceAll(/\S/g, " ")));
  return [...code.matchAll(words)].map(({ index }) => {
    const around = callsAround(code, index);
    return {
      isLogged: around.some(({ callee }) => logs.test(callee)),
      isCaused: around.some(({ callee, args }) => callee.startsWith("new ") && /\bcause\b/.test(args)),
    };
  });
}

/** Returns the new errors that are created where another one was caught or passed in, and that do not keep it. */
function uncaused(text: string): string[] {
  return clauses.flatMap((clause) =>
    [...text.matchAll(clause)].flatMap((found) => {
      const open = found.index + found[0].length - 1;
      const block = text.slice(open, closeOf(text, open));
      return [...block.matchAll(/\b(?:throw|return)\s+new\s+\w*(?:Error)\(/g)].flatMap(({ 0: made, index }) => {
        const from = index + made.length - 1;
        return keeps(block.slice(from + 1, closeOf(block, from) - 1), found[1] ?? "") ? [] : [made.slice(0, -1)];
      });
    }),
  );
}

/** Code that handles an error: a catch clause, a handler of a promise, and a function with an error as its parameter. */
const clauses = [
  /\bcatch\s*\(\s*(\w+)[^)]*\)\s*\{/g,
  /\.catch\(\s*(?:async\s*)?\(?\s*(\w+)[^)=]*\)?[^={]*=>\s*\{/g,
  /\(\s*(error|err|cause)\s*:\s*unknown[^)]*\)[^{;=]*\{/g,
];

/** Reports whether the arguments keep the error, as `cause` or as an argument of its own. */
function keeps(args: string, error: string): boolean {
  if (/\bcause\b/.test(args)) return true;
  let own = args;
  for (let before = ""; before !== own; own = own.replaceAll(/[([{][^()[\]{}]*[)\]}]/g, "")) before = own;
  return own.split(",").some((arg) => arg.trim() === error);
}
