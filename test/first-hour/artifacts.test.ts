import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { type Command, type Ended, fleet as fleetIn, openHome, start } from "../e2e/fleet-command.ts";

/** What was kept, as `fleet artifacts list --json` prints it. */
const Listed = z.object({
  attempt: z.int(),
  artifacts: z.array(z.object({ path: z.string(), bytes: z.int() })),
  leftOut: z.array(z.object({ path: z.string(), because: z.string() })),
  missing: z.array(z.string()),
  otherAttempts: z.array(z.int()),
});
const Job = z.object({ state: z.string(), reason: z.string().nullable(), attempts: z.int(), node: z.string().nullable() });

// 1,400 files are uploaded, sealed and fetched one by one, on a machine that is busy with other work.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 240_000 });

let home: Awaited<ReturnType<typeof openHome>>;
let folder: string;
let cloud: Command;
const fleet = (...args: string[]): Promise<Ended> => fleetIn(args, { home: home.path, environment: { FLEETWRIGHT_TEAM: "research" } });

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

beforeAll(async () => {
  [home, folder] = await Promise.all([openHome(), mkdtemp(join(tmpdir(), "fleetwright-first-hour-"))]);
  cloud = start(["local", "--port", String(await freePort())], { home: home.path });
  await cloud.says(/^local cloud at http/m, 200_000);
});
afterAll(async () => {
  cloud.interrupt();
  await cloud.ended;
  await Promise.all([home.close(), rm(folder, { recursive: true })]);
});

async function submit(id: string, script: string, more: object = {}): Promise<void> {
  const file = join(folder, `${id}.json`);
  await writeFile(file, JSON.stringify({ id, command: ["sh", "-c", script], maxRuntimeSeconds: 120, ...more }));
  expect(await fleet("submit", file)).toMatchObject({ code: 0 });
}

const jobOf = async (id: string) => Job.parse(JSON.parse((await fleet("job", id, "--json")).out));
const until = (id: string, state: string): Promise<void> =>
  vi.waitFor(async () => expect(await jobOf(id)).toMatchObject({ state }), { timeout: 300_000, interval: 500 });

/** Returns what was kept of a job, once it is sealed. */
async function listed(id: string, ...more: string[]): Promise<z.infer<typeof Listed>> {
  return vi.waitFor(
    async () => {
      const { code, out, err } = await fleet("artifacts", "list", id, "--json", ...more);
      expect({ code, err }).toMatchObject({ code: 0 });
      return Listed.parse(JSON.parse(out));
    },
    { timeout: 60_000, interval: 500 },
  );
}

async function get(id: string, ...more: string[]): Promise<{ into: string; ended: Ended }> {
  const into = join(folder, `out-${id}`);
  return { into, ended: await fleet("artifacts", "get", id, "--to", into, ...more) };
}

describe("the artifacts of a run", () => {
  test("the artifacts of a run with a missing glob, a FIFO, an outward link, 1,400 files and a backslash in a name can be fetched", async () => {
    const script = [
      "echo weights > model.pt; chmod 750 model.pt",
      "mkfifo pipe; ln -s /etc/hostname outward",
      "mkdir many; i=0; while [ $i -lt 1400 ]; do echo $i > many/$i.txt; i=$((i+1)); done",
      "printf events > 'logs\\events.txt'",
    ].join("; ");
    await submit("whole", script, { artifacts: ["model.pt", "ckpt/*.pt", "pipe", "outward", "many", "logs*"] });
    await until("whole", "succeeded");
    const job = await jobOf("whole");
    expect(job.reason).toMatch(/1 named artifact was not there: "ckpt\/\*\.pt"; 2 entries were left out/);

    const list = await listed("whole");
    expect(list.artifacts).toHaveLength(1402);
    expect(list.leftOut.map(({ path }) => path)).toEqual(["outward", "pipe"]);
    expect(list.missing).toEqual(["ckpt/*.pt"]);

    const { into, ended } = await get("whole");
    expect(ended).toMatchObject({ code: 0, out: expect.stringMatching(/^1402 files in /) });
    expect(await readFile(join(into, "model.pt"), "utf8")).toBe("weights\n");
    expect((await stat(join(into, "model.pt"))).mode & 0o777).toBe(0o750);
    expect(await readFile(join(into, "logs\\events.txt"), "utf8")).toBe("events");
    const many = await readdir(join(into, "many"));
    expect(many).toHaveLength(1400);
    for (const name of many) expect(await readFile(join(into, "many", name), "utf8")).toBe(`${name.replace(".txt", "")}\n`);

    await writeFile(join(into, "model.pt"), "my own");
    const again = await get("whole");
    expect(again.ended).toMatchObject({ code: 1, err: expect.stringMatching(/nothing was fetched.*\n {2}model\.pt\n/) });
    const forced = await get("whole", "--force");
    expect(forced.ended).toMatchObject({ code: 0, out: expect.stringContaining("1401 of them already there") });
    expect(await readFile(join(into, "model.pt"), "utf8")).toBe("weights\n");
  });

  test.each([
    ["failing", "echo 1 > ckpt.pt; exit 3", {}, /exit code 3/],
    ["slow", "echo 1 > ckpt.pt; exec sleep 100", { maxRuntimeSeconds: 3 }, /ran longer than 3 s/],
    ["lacking", "echo 1 > ckpt.pt", { artifacts: ["ckpt.pt", { path: "final.pt", required: true }] }, /"final\.pt" is missing/],
  ])("the artifacts of a %s run can be fetched", async (id, script, more, reason) => {
    await submit(id, script, { artifacts: ["ckpt.pt"], ...more });
    await until(id, "failed");
    expect((await jobOf(id)).reason).toMatch(reason);
    expect((await listed(id)).artifacts).toMatchObject([{ path: "ckpt.pt", bytes: 2 }]);
    const { into, ended } = await get(id);
    expect(ended).toMatchObject({ code: 0 });
    expect(await readFile(join(into, "ckpt.pt"), "utf8")).toBe("1\n");
  });

  test("the artifacts of a cancelled run can be fetched, including those saved in its grace period", async () => {
    const script = "trap 'echo 2 > ckpt.pt; exit 0' TERM; echo 1 > ckpt.pt; while :; do sleep 0.2; done";
    await submit("cancelled", script, { artifacts: ["*.pt"] });
    await until("cancelled", "running");
    expect(await fleet("cancel", "cancelled", "--wait")).toMatchObject({ code: 0 });
    expect((await listed("cancelled")).artifacts).toMatchObject([{ path: "ckpt.pt" }]);
    const { into } = await get("cancelled");
    expect(await readFile(join(into, "ckpt.pt"), "utf8")).toBe("2\n");
  });

  test("the artifacts of an interrupted attempt can be fetched while the next one runs", async () => {
    const script = "trap 'echo saved > ckpt.pt; exit 0' TERM; echo 1 > ckpt.pt; while :; do sleep 0.2; done";
    await submit("interrupted", script, { artifacts: ["ckpt.pt"] });
    await until("interrupted", "running");
    const { node } = await jobOf("interrupted");
    expect(await fleet("interrupt", node ?? "")).toMatchObject({ code: 0 });
    expect((await listed("interrupted", "--attempt", "1")).artifacts).toMatchObject([{ path: "ckpt.pt", bytes: 6 }]);
    const { into } = await get("interrupted", "--attempt", "1");
    expect(await readFile(join(into, "ckpt.pt"), "utf8")).toBe("saved\n");
    expect(await fleet("cancel", "interrupted")).toMatchObject({ code: 0 });
  });
});
