// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the planted sources hold templates
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { callsAround, closeOf, withoutText } from "./code-text.ts";
import { edges, errorWrongs, namesOfErrors, usesOfWords } from "./error-rules.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const imported = 'import { inWords, withCauses } from "../../model/errors/in-words.ts";\n';
const caught = (inside: string): string => `try { work(); } catch (error) { ${inside} }`;
const wrongsIn = (source: string, path = "lib/flows/x.ts"): string[] => errorWrongs({ path, source });

describe("texts of errors", () => {
  test.each([
    ["String()", caught("log({ error: String(error) });")],
    ["a template", caught("log({ error: `it failed: ${error}` });")],
    ["the message", caught("log({ because: error.message });")],
    ["the message, if it is an error", caught('note = error instanceof Error ? error.message : "";')],
    ["the stack", caught("log({ stack: error.stack });")],
    ["toString()", caught("log({ error: error.toString() });")],
    ["a sum", caught('log({ error: "it failed: " + error });')],
    ["JSON", caught("log({ error: JSON.stringify(error) });")],
    ["util.inspect", caught("log({ error: inspect(error, { depth: 2 }) });")],
    ["the message of what has another name", "try { work(); } catch (broken) { log({ because: broken.message }); }"],
    ["the message of a promise's error", "await work().catch((gone: unknown) => log({ because: String(gone) }));"],
    ["the message of a promise's error, without parentheses", "await work().catch(gone => log({ because: `${gone}` }));"],
    ["a destructured message", caught("const { message } = error; log({ because: message });")],
    ["a message that is destructured at once", "await work().catch(({ message }) => log({ because: message }));"],
    ["the message of a parser's error", "if (!read.success) log({ error: read.error.message });"],
    ["the text of an outcome's error", "log({ error: String(outcome.error) });"],
    ["the reason of a promise that was rejected", "log({ error: String(settled.reason) });"],
    ["the message of a parameter that is an error", "const why = (fault: FleetError): string => fault.message;"],
    ["the text of a parameter that is called a cause", "const why = (cause: unknown): string => String(cause);"],
    ["all errors of a list", "log({ errors: errors.map(String) });"],
  ])("code below the log that turns an error into text is refused: %s", (_what, source) => {
    expect(wrongsIn(source)).toEqual([expect.stringMatching(/^lib\/flows\/x\.ts makes a text of an error: /)]);
    for (const path of [
      "lib/decide/x.ts",
      "lib/aws/x.ts",
      "lib/ports/x.ts",
      "lib/runtime/wire/x.ts",
      "functions/x.ts",
      "lib/local/x.ts",
      "lib/worker/x.ts",
      "lib/api/x.ts",
      "events/x.ts",
    ])
      expect(wrongsIn(source, path), path).toHaveLength(1);
  });

  test.each([
    ["the error itself", caught('log({ level: "error", message: "it failed", error });')],
    ["a message of something else", caught("log({ message: line.message, error });")],
    ["a text about errors", caught('throw new FleetError("x", "String(error) and ${error} and error.message", { cause: error });')],
    ["a comment about errors", "// error.message, String(error)\n/* `${error}` */ const x = 1; // error.stack"],
    ["a pattern about errors", "const pattern = /error.message|['\"`]/; const next = `${pattern}`;"],
    ["a code", caught('if (error instanceof Error && "code" in error) return error.code;')],
    ["a cause that is a word and no error", "const line = (cause: string): string => `woken by ${cause}`;"],
  ])("code below the log that uses %s is accepted", (_what, source) => {
    expect(wrongsIn(source)).toEqual([]);
  });
});

describe("words of errors for people", () => {
  test("the words of an error may be in the message of a new error that has it as its cause", () => {
    expect(
      wrongsIn(
        imported + caught('throw new FleetError("x", `the list ${key} cannot be read: ${inWords(error)}`, { retry: true, cause: error });'),
      ),
    ).toEqual([]);
    expect(wrongsIn(imported + caught("throw new FleetError(code, `${withCauses(error)}`, { cause: error });"))).toEqual([]);
  });

  test("the words of an error are refused in the message of a new error without a cause", () => {
    expect(wrongsIn(imported + caught('throw new FleetError("x", `the list cannot be read: ${inWords(error)}`);'))).toEqual([
      "lib/flows/x.ts wraps an error without its cause: throw new FleetError",
      "lib/flows/x.ts makes a text for people of an error, but is not listed in error-rules.ts",
    ]);
  });

  test("only the listed modules may turn errors into words", () => {
    const source = `${imported}export const whyNot = (error: unknown): string => inWords(error);`;
    expect(wrongsIn(source, "lib/flows/seal-attempt.ts")).toEqual([]);
    expect(wrongsIn(source)).toEqual(["lib/flows/x.ts makes a text for people of an error, but is not listed in error-rules.ts"]);
    expect(wrongsIn(`${imported}const all = errors.map(inWords);`)).toHaveLength(1);
    expect(wrongsIn(source.replace("in-words.ts", "other-words.ts"))).toEqual([]);
  });

  test.each([
    'deps.log({ level: "error", message: "it failed", note: inWords(error) });',
    'logger.error("it failed", { error: withCauses(error) });',
    'this.#options.log("warn", "it failed", { because: withCauses(error) });',
    "log({ message: `it failed: ${inWords(error)}` });",
  ])("the words of an error are refused in a log: %s", (source) => {
    expect(wrongsIn(imported + caught(source))).toEqual(["lib/flows/x.ts logs the words of an error instead of the error"]);
    expect(wrongsIn(imported + caught(source), "lib/worker/attempt/attempt-run.ts")).toEqual([
      "lib/worker/attempt/attempt-run.ts logs the words of an error instead of the error",
    ]);
  });

  test("programs that people run in a terminal may turn errors into text, but must keep causes", () => {
    expect(wrongsIn(caught("console.note(error.message);"), "lib/cli/x.ts")).toEqual([]);
    expect(wrongsIn(caught('throw new UsageError("no such file");'), "lib/cli/x.ts")).toEqual([
      "lib/cli/x.ts wraps an error without its cause: throw new UsageError",
    ]);
  });
});

describe("causes of errors", () => {
  test.each([
    caught('throw new FleetError("x", "it failed", { retry: true });'),
    'await work().catch((error: unknown) => { throw new FleetError("x", "it failed"); });',
    'function faultOf(error: unknown, name: string): FleetError { return new FleetError("x", `${name} failed`); }',
  ])("an error that wraps another one without its cause is refused: %s", (source) => {
    expect(wrongsIn(source)).toEqual([
      expect.stringMatching(/^lib\/flows\/x\.ts wraps an error without its cause: (throw|return) new FleetError$/),
    ]);
  });

  test.each([
    caught('throw new FleetError("x", "it failed", { cause: error });'),
    caught('throw new Unreadable("it vanished", error);'),
    'try { work(); } catch { throw new FleetError("x", "what was caught may hold credentials"); }',
    'if (missing) throw new FleetError("x", "it is not there");',
  ])("an error that keeps its cause, or wraps none, is accepted: %s", (source) => {
    expect(wrongsIn(source)).toEqual([]);
  });
});

test("each listed module turns errors into words, so it must be listed", () => {
  for (const path of edges.keys()) {
    const uses = usesOfWords({ path, source: readFileSync(join(root, path), "utf8") });
    expect(
      uses.filter(({ isCaused }) => !isCaused),
      path,
    ).not.toEqual([]);
  }
});

describe("reading code", () => {
  test("withoutText blanks out strings, templates, patterns and comments, and keeps all positions", () => {
    const source = "const a = 'x)'; const b = `y) ${f(\"z)\")} w)`; // v)\nconst c = /[)/]\\)/.test(d) ? 4 / 2 : `${`n)${e}`}`;";
    const text = withoutText(source);
    expect(text).toHaveLength(source.length);
    expect(text.replaceAll(/\s+/g, " ")).toBe("const a = ; const b = ` ${f( )} `; const c = .test(d) ? 4 / 2 : `${` ${e}`}`;");
  });

  test("callsAround finds the calls around a position, and stops at the body of a function", () => {
    const text = "log({ a: [1, 2], error: new FleetError(code, here(x), { cause }) })";
    expect(callsAround(text, text.indexOf("x)")).map(({ callee }) => callee)).toEqual(["here", "new FleetError", "log"]);
    const inner = "queue.catch((error) => { put(x); })";
    expect(callsAround(inner, inner.indexOf("x)")).map(({ callee }) => callee)).toEqual(["put"]);
    expect(text.slice(0, closeOf(text, 3))).toBe(text);
  });

  test("namesOfErrors finds the names that stand for errors", () => {
    const source =
      "try {} catch (a) {} p.catch((b) => {}); p.catch((c: unknown) => {}); if (d instanceof ConditionsError) {} const f = (e1: Error, cause: unknown) => 1;";
    expect([...namesOfErrors(source)].sort()).toEqual(["a", "b", "c", "cause", "d", "e1", "err", "error"]);
  });
});
