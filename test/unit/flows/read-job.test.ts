import { expect, test } from "vitest";
import { readJob } from "../../../lib/flows/job/read-job.ts";

const secret = "hunter2";
const message = JSON.stringify({ id: "a", command: ["run", `--token=${secret}`], env: { TOKEN: secret }, gpus: 1 });

/** Returns the reason why a text is no job, or undefined if it is one. */
function reasonOf(text: string): string | undefined {
  const read = readJob(text);
  return read.kind === "unfit" ? read.reason : undefined;
}

test("the reason why a message is no JSON quotes none of it, wherever it is broken, because reasons are stored and shown", () => {
  const broken = Array.from({ length: message.length }, (_, at) => [
    message.slice(0, at),
    `${message.slice(0, at)}?${message.slice(at)}`,
    `${message.slice(0, at)}\n${message.slice(at)}`,
    message.slice(at),
  ]).flat();
  const reasons = broken.map(reasonOf);
  expect(reasons.filter((reason) => reason?.includes("is not JSON")).length).toBeGreaterThan(200);
  expect(reasons.filter((reason) => reason?.includes(secret))).toEqual([]);
});

test.each<[string, object]>([
  ["a command that is a text", { command: `run ${secret}` }],
  ["a command with a number", { command: ["run", 7_331] }],
  ["a variable that is a number", { command: ["x"], env: { PIN: 7_331 } }],
  ["a variable that is a list", { command: ["x"], env: { TOKEN: [secret] } }],
  ["variables that are a text", { command: ["x"], env: secret }],
])("the reason why a message is refused does not repeat what may be a secret: %s", (_what, job) => {
  const reason = reasonOf(JSON.stringify(job));
  expect(reason).toMatch(/^(command|env)/);
  expect(reason).not.toContain(secret);
  expect(reason).not.toContain("7331");
});
