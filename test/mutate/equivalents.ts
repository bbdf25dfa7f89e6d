// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the sources hold templates
import type { Equivalent } from "./mutant.ts";

/** The mutants of a line that listens to a signal once. */
const onceAborted = (path: string, was: string): readonly Equivalent[] =>
  ["{ once: false }", "{ }"].map((options) => ({
    path,
    was,
    becomes: was.replace("{ once: true }", options),
    because: "a signal is aborted at most once",
  }));

/** The mutant of a loop that goes one step beyond the end of a typed array, where writing does nothing and comparing is always false. */
const beyondTheEnd = (path: string, ...loops: readonly string[]): readonly Equivalent[] =>
  loops.map((was) => ({
    path,
    was,
    becomes: was.replace(/; (\w+ )<( [\w.#]+);/, "; ($1<=$2);"),
    because:
      "a typed array ignores what is written beyond its end, and what is read there is undefined, so each comparison with it is false",
  }));

/** The mutant of a default for the status of a response that was received. */
const noStatus = (path: string, was: string): Equivalent => ({
  path,
  was,
  becomes: was.replace("502", "1004"),
  because: "a response that was received has a status",
});

/** Mutants that change nothing that a caller can observe. */
export const equivalents: readonly Equivalent[] = [
  ...onceAborted("lib/worker/runtime/clock.ts", 'signal?.addEventListener("abort", wake, { once: true });'),
  ...onceAborted("lib/worker/program/command.ts", 'signal?.addEventListener("abort", stop, { once: true });'),
  ...onceAborted("lib/worker/runtime/clock.ts", 'else signal.addEventListener("abort", () => resolve(), { once: true });'),
  ...onceAborted("lib/worker/data/shard-cache.ts", 'signal.addEventListener("abort", wake, { once: true });'),
  ...onceAborted("lib/worker/artifacts/upload-file.ts", 'signal.addEventListener("abort", abort, { once: true });'),
  ...onceAborted("lib/cli/chaos/threads.ts", 'signal.addEventListener("abort", stop, { once: true });'),
  {
    path: "lib/cli/views/decision-id.ts",
    was: "while (other !== undefined && length < id.length && id[length] === other[length]) length += 1;",
    becomes: "while (other !== undefined && (length <= id.length) && id[length] === other[length]) length += 1;",
    because: "the ids differ, so one of them ends or differs at the length of the shorter one at the latest",
  },
  {
    path: "lib/optimizer/engines/all-loads.ts",
    was: "tried.add(left);",
    becomes: ";",
    because: "GPUs with the same room are alike, so trying them again only takes time",
  },
  {
    path: "lib/aws/table/pools/request-budget.ts",
    was: "changes: setAll({ ...bucket, version: over + 1 }),",
    becomes: "changes: setAll({ ...bucket, version: (over - 1) }),",
    because: "a version only has to differ from all earlier ones, whether it rises or falls",
  },
  {
    path: "lib/flows/place/remember-capacity.ts",
    was: "let may = false;",
    becomes: "let may = true;",
    because: "a change of a refusal always calls the function that assigns it, or throws",
  },
  {
    path: "lib/worker/attempt/held-attempts.ts",
    was: "if (waitMs > 0) clock.after(waitMs, upload);",
    becomes: "if ((waitMs >= 0)) clock.after(waitMs, upload);",
    because: "an upload that may begin now may begin after a wait of nothing",
  },
  {
    path: "lib/local/ec2/front.ts",
    was: "if (waitMs > 0) await sleep(waitMs, undefined, { ref: false });",
    becomes: "if ((waitMs >= 0)) await sleep(waitMs, undefined, { ref: false });",
    because: "a response may be late by nothing",
  },
  {
    path: "lib/optimizer/bounds/pricing.ts",
    was: "const found = maxNodes < minExchanged ? better : this.#exchanged(kind, better, { left, maxNodes });",
    becomes: "const found = (maxNodes <= minExchanged) ? better : this.#exchanged(kind, better, { left, maxNodes });",
    because: "searches have 8 or 100 nodes, so the threshold between them may be anything from 9 to 100",
  },
  {
    path: "lib/optimizer/bounds/knapsack.ts",
    was: "if (count <= 0) return 0;",
    becomes: "if ((count < 0)) return 0;",
    because: "a count of 0 takes no slots and no room, so 0 is returned at the end, too",
  },
  {
    path: "lib/optimizer/bounds/master.ts",
    was: "if (by <= minPivot) continue;",
    becomes: "if ((by < minPivot)) continue;",
    because: "the threshold separates rounding errors, which are about 1e-16, from entries, which are not that small",
  },
  {
    path: "lib/cli/terminal/amount.ts",
    was: "return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} ${units[unit]}`;",
    becomes: "return `${(value <= 10) ? Number(value.toFixed(1)) : Math.round(value)} ${units[unit]}`;",
    because: "exactly 10 is written as 10 in either way",
  },
  {
    path: "lib/optimizer/search/floor.ts",
    was: "return needed > free && Number.isFinite(usdPerUnit) ? (needed - free) * usdPerUnit : 0;",
    becomes: "return (needed >= free) && Number.isFinite(usdPerUnit) ? (needed - free) * usdPerUnit : 0;",
    because: "if nothing is missing, what is missing costs 0",
  },
  {
    path: "lib/optimizer/search/fill-nodes.ts",
    was: "slots.reduce((sum, slot) => sum + slot / 1e6, 0);",
    becomes: "slots.reduce((sum, slot) => sum + slot / 1e6, 1);",
    because: "these sums are only compared with each other",
  },
  {
    path: "lib/worker/artifacts/artifact-walk.ts",
    was: 'const options = { encoding: "buffer", bufferSize: 1_000 } as unknown as { encoding: "utf8" };',
    becomes: 'const options = { encoding: "buffer", bufferSize: 2000 } as unknown as { encoding: "utf8" };',
    because: "how many names are read at once changes nothing but the speed",
  },
  {
    path: "lib/aws/table/packed.ts",
    was: "const maxKnown = 10_000;",
    becomes: "const maxKnown = 20000;",
    because: "when a cache is emptied changes nothing but its memory",
  },
  {
    path: "lib/optimizer/bounds/knapsack.ts",
    was: "#rest = 0;",
    becomes: "#rest = 1;",
    because: "each search sets it before it reads it",
  },
  {
    path: "lib/local/emulators/python.ts",
    was: 'const venv = join(folder, `venv-${wanted.digest("hex").slice(0, 16)}`);',
    becomes: 'const venv = join(folder, `venv-${wanted.digest("hex")}`);',
    because: "the whole hash names the same contents as its first 16 digits",
  },
  {
    path: "lib/local/lambda/wires.ts",
    was: "batchSize: 1,",
    becomes: "batchSize: 2,",
    because: "the messages of a batch are handled one after the other, and none of them fails",
  },
  ...[".slice(1, 16)", ".slice(0, 32)"].map((part) => ({
    path: "lib/local/emulators/python.ts",
    was: 'const venv = join(folder, `venv-${wanted.digest("hex").slice(0, 16)}`);',
    becomes: `const venv = join(folder, \`venv-\${wanted.digest("hex")${part}}\`);`,
    because: "any long enough part of the hash names its contents",
  })),
  {
    path: "lib/optimizer/bounds/bound.ts",
    was: "if (load.shapes.length > 0 && master.reduced(pattern) < -1e-6 * Math.max(kind.price, 1e-3)) patterns.push(pattern);",
    becomes: "if (load.shapes.length > 0 && (master.reduced(pattern) <= -1e-6 * Math.max(kind.price, 1e-3))) patterns.push(pattern);",
    because: "the threshold ignores gains that are rounding errors, so a gain of exactly this size may be ignored or not",
  },
  ...beyondTheEnd("lib/optimizer/bounds/bound.ts", "for (let dimension = 0; dimension < dimensions; dimension += 1)"),
  ...beyondTheEnd(
    "lib/optimizer/bounds/dual-feasible.ts",
    "for (let item = 0; item < column.length; item += 1) uses[item * rows + row] = column[item] as number;",
    "for (let item = 0; item < seen.length; item += 1) if ((seen[item] as number) > (plain[item] as number) + 1e-12) return [seen];",
  ),
  ...beyondTheEnd("lib/optimizer/bounds/first-patterns.ts", "for (let dimension = 0; dimension < size.length; dimension += 1) {"),
  ...beyondTheEnd(
    "lib/optimizer/bounds/knapsack.ts",
    "for (let dimension = 0; dimension < this.#dimensions; dimension += 1) {",
    "for (let dimension = 0; dimension < this.#dimensions; dimension += 1)",
  ),
  ...beyondTheEnd(
    "lib/optimizer/bounds/master.ts",
    "for (let row = 0; row < rows; row += 1) column[row] = (column[row] as number) + by * (this.#inverse[row * rows + of] as number);",
    "for (let of = 0; of < rows; of += 1) prices[of] = (prices[of] as number) + reduced * (this.#inverse[start + of] as number);",
    "for (let row = 0; row < rows; row += 1) {",
  ),
  ...beyondTheEnd(
    "lib/optimizer/bounds/relaxation.ts",
    "for (let row = 0; row < this.#rows; row += 1) this.#inverse[row * this.#rows + row] = 1;",
    "for (let row = 0; row < this.#rows; row += 1) x[row] = Math.max(0, (x[row] as number) - (this.#column[row] as number) * by);",
    "for (let item = 0; item < length; item += 1) {",
    "for (let item = 0; item < this.items.length; item += 1) if (this.#isFull[item] === 1) put(item, this.#most[item] as number);",
  ),
  ...beyondTheEnd("lib/optimizer/engines/all-loads.ts", "for (let dimension = 0; dimension < room.length; dimension += 1) {"),
  ...beyondTheEnd("lib/optimizer/problem/coarse.ts", "for (let dimension = 0; dimension < size.length; dimension += 1)"),
  ...beyondTheEnd("lib/optimizer/search/fill-nodes.ts", "for (let dimension = 0; dimension < largest.length; dimension += 1)"),
  ...["(year ?? 1, (month ?? 1)", "(year ?? 0, (month ?? 2)"].map((parts) => ({
    path: "lib/local/requests/signature.ts",
    was: "const signedAtMs = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);",
    becomes: `const signedAtMs = Date.UTC${parts} - 1, day, hour, minute, second);`,
    because: "the pattern of the date has all parts, so none of them is undefined",
  })),
  noStatus("lib/local/ec2/moto/moto.ts", "status: incoming.statusCode ?? 502,"),
  noStatus("lib/local/endpoint.ts", "const status = upstream.statusCode ?? 502;"),
  noStatus("lib/local/endpoint.ts", "response.writeHead(upstream.statusCode ?? 502, upstream.headers).end(body);"),
  noStatus("lib/local/requests/relay.ts", "response.writeHead(upstream.statusCode ?? 502, upstream.headers);"),
];
