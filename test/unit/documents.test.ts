import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import * as z from "zod";
import { JobMessage } from "../../events/job.ts";
import { jobFieldNames } from "../../events/schema/job-fields.ts";

const root = join(import.meta.dirname, "..", "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const exists = (path: string): boolean => existsSync(join(root, path));
const documents = globSync("{*.md,docs/**/*.md}", { cwd: root }).map((path) => path.replaceAll("\\", "/"));
const decisions = documents.filter((path) => /^docs\/decisions\/\d/.test(path)).toSorted();

type Link = { readonly to: string; readonly anchor: string | undefined };

/** Returns the links to files of the project. */
const linksOf = (text: string): Link[] =>
  [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => ({ to: link.split("#")[0] ?? "", anchor: link.split("#")[1] }));

const folders = ["cdk", "docs", "events", "functions", "lib", "test", ".ci"];

/** Returns the paths in backticks that begin with a folder of the project. */
const pathsOf = (text: string): string[] =>
  [...text.matchAll(/`([^`\s]+)`/g)].map(([, path = ""]) => path).filter((path) => folders.some((folder) => path.startsWith(`${folder}/`)));

/** Returns the anchors that GitHub gives to the headings. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

/** Returns the broken links and paths of a document. */
const wrongsOf = (path: string, text: string): string[] => [
  ...linksOf(text).flatMap(({ to, anchor }) => {
    const file = to === "" ? path : join(dirname(path), to);
    if (!exists(file)) return [`${to} does not exist`];
    return anchor === undefined || anchorsOf(read(file)).includes(anchor) ? [] : [`${file} has no heading #${anchor}`];
  }),
  ...pathsOf(text).flatMap((named) => (exists(named) ? [] : [`${named} does not exist`])),
];

test("the test finds every document of the project, with its links and paths", () => {
  expect(documents).toEqual(expect.arrayContaining(["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/jobs.md"]));
  expect(decisions.length).toBeGreaterThan(60);
  expect(documents.flatMap((path) => linksOf(read(path))).length).toBeGreaterThan(80);
  expect(documents.flatMap((path) => pathsOf(read(path))).length).toBeGreaterThan(400);
});

test.each(documents)("%s names only files, folders and headings that exist", (path) => {
  expect(wrongsOf(path, read(path))).toEqual([]);
});

test("a document's broken link, missing heading and missing path are reported", () => {
  const text =
    "[a](docs/none.md) [b](docs/limits.md#code) [c](docs/limits.md#none) [d](https://example.com) `lib/model/none.ts` `lib/model`";
  expect(wrongsOf("README.md", text)).toEqual([
    "docs/none.md does not exist",
    "docs/limits.md has no heading #none",
    "lib/model/none.ts does not exist",
  ]);
});

test("README has at most 120 lines, and ARCHITECTURE at most 10 KB", () => {
  expect(read("README.md").trimEnd().split("\n").length).toBeLessThanOrEqual(120);
  expect(Buffer.byteLength(read("ARCHITECTURE.md"))).toBeLessThanOrEqual(10 * 1024);
});

test("the package holds every file that README links to", () => {
  const { files } = z.object({ files: z.array(z.string()) }).parse(JSON.parse(read("package.json")));
  const linked = linksOf(read("README.md")).map(({ to }) => to);
  expect(linked.filter((to) => !files.some((file) => to === file || to.startsWith(`${file}/`)))).toEqual([]);
});

test.each(decisions)("the decision %s has a context, a decision, consequences, code and tests", (path) => {
  const text = read(path);
  for (const heading of ["Context", "Decision", "Consequences", "Code and tests"]) expect(text).toContain(`\n## ${heading}\n\n`);
  expect(text).toMatch(/\n\* Code: `/);
  expect(text).toMatch(/\n\* Tests: `test\//);
});

test("decisions are numbered without gaps and listed with their titles", () => {
  const titles = decisions.map((path) => {
    const [, number, title] = /^# (\d{4}) (.+)\n/.exec(read(path)) ?? [];
    return { number, title, file: path.replace("docs/decisions/", "") };
  });
  expect(titles.map(({ number }) => number)).toEqual(decisions.map((_, index) => String(index + 1).padStart(4, "0")));
  const list = read("docs/decisions/README.md");
  expect(titles.filter(({ number, title, file }) => !list.includes(`* [${number}](${file}) ${title}\n`))).toEqual([]);
});

test("docs/jobs.md describes every field of a job", () => {
  const described = new Set([...read("docs/jobs.md").matchAll(/^\| `([^`]+)` \|[^|]*\|[^|]*\| [^|]*\w/gm)].map(([, name]) => name));
  expect(jobFieldNames().length).toBeGreaterThan(20);
  expect(jobFieldNames().filter((name) => !described.has(name))).toEqual([]);
});

test("every reason that docs/operations.md explains occurs in the source code", () => {
  const reasons = [...read("docs/operations.md").matchAll(/^ {3}\| `([^`]+)`/gm)].map(([, reason = ""]) => reason);
  const sources = globSync("lib/decide/**/*.ts", { cwd: root }).map(read).join("\n");
  expect(reasons.length).toBeGreaterThan(6);
  expect(reasons.filter((reason) => !sources.includes(reason))).toEqual([]);
});

test("every example in docs/jobs.md is a message that the job schema accepts", () => {
  const blocks = [...read("docs/jobs.md").matchAll(/^```(jsonl?)\n(.*?)^```$/gms)];
  const examples = blocks.flatMap(([, language, text = ""]) => (language === "jsonl" ? text.trim().split("\n") : [text]));
  expect(examples.length).toBeGreaterThan(4);
  for (const example of examples) expect(() => JobMessage.parse(JSON.parse(example)), example).not.toThrow();
});

test("the glossary is in alphabetical order, and names one file per word", () => {
  const rows =
    read("docs/glossary.md")
      .match(/^\| .+ \|$/gm)
      ?.slice(1) ?? [];
  const words = rows.map((row) => row.split("|")[1]?.trim().replace(/[()]/g, "") ?? "");
  expect(words.length).toBeGreaterThan(60);
  expect(words).toEqual(words.toSorted((a, b) => a.localeCompare(b, "en")));
  expect(rows.filter((row) => pathsOf(row).length !== 1)).toEqual([]);
});
