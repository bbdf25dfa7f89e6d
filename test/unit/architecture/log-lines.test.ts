// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the planted sources hold templates
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** The three kinds of log: of functions and of the local cloud, of the worker, and of a handler. Each match ends before its name. */
const calls = [/\blog\(\{\s*(?:level: "\w+",\s*)?message: /g, /\blog\("(?:info|warn|error)", /g, /\blogger\.(?:info|error)\(/g];

/** A constant name: words in lower case, except for proper nouns, and no punctuation. */
const name = /^"(?:[a-z]|EC2 |GPUs? |CloudWatch )[A-Za-z0-9 ]*"$/;

/** Lines of the local cloud that are also notes to its user. */
const notes = [
  '"Synthesizing the stack …"',
  '"Installing the AWS emulators (once, about half a minute) …"',
  '"Installed the AWS emulators"',
];

/** Returns the names of the log lines that a source writes, as they are in its text. */
const namesIn = (source: string): string[] =>
  calls.flatMap((call) =>
    [...source.matchAll(call)].map(
      ({ 0: begin, index }) => /^(?:"[^"\n]*"|`[^`\n]*`|[^,)}\n]+)/.exec(source.slice(index + begin.length))?.[0] ?? "",
    ),
  );
const wrongIn = (source: string): string[] => namesIn(source).filter((each) => !name.test(each) && !notes.includes(each));

test("every log line has a constant name in lower case, without punctuation", () => {
  const root = join(import.meta.dirname, "..", "..", "..");
  // The logger itself passes names on.
  const paths = globSync("{lib,functions}/**/*.ts", { cwd: root }).filter((path) => path !== join("lib", "runtime", "logger.ts"));
  const sources = paths.map((path) => readFileSync(join(root, path), "utf8"));
  expect(sources.flatMap(namesIn).length).toBeGreaterThan(90);
  expect(sources.flatMap(wrongIn)).toEqual([]);
});

test.each([
  ["a value in its name", "log({ message: `job ${id} moved`, id });", ["`job ${id} moved`"]],
  ["a name that is computed", 'deps.log({ level: "info", message: nameOf(job), job });', ["nameOf(job"]],
  ["a sentence", 'this.#options.log("warn", "The job moved.", { job });', ['"The job moved."']],
  ["a reason in its name", 'logger.error("job dropped: it is old", { job });', ['"job dropped: it is old"']],
])("a log line with %s is found", (_what, source, wrong) => {
  expect(wrongIn(source)).toEqual(wrong);
});

test("a log line with a constant name and fields is accepted", () => {
  expect(wrongIn('log({ level: "info", message: "job moved", job });\nlog("warn", "EC2 call failed", {}, error);')).toEqual([]);
});
