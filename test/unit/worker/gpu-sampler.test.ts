import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sampleGpus } from "../../../lib/worker/gpu/gpu-sampler.ts";
import { workerLogInto } from "../../fakes/log-lines.ts";
import { ManualClock } from "./manual-clock.ts";
import { standIn } from "./stand-in.ts";

let folder: string;
let stop: AbortController;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fw-gpus-"));
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await rm(folder, { recursive: true, force: true });
});

/** A sampler in manual time. The script runs in real time. */
function sampler(path: string) {
  const clock = new ManualClock();
  const logged: string[] = [];
  const gpus = sampleGpus({
    path,
    clock,
    log: workerLogInto(logged, ({ because }) => `: ${because}`),
    signal: stop.signal,
  });
  return { clock, logged, gpus };
}
const calls = async (): Promise<string[]> => (await readFile(join(folder, "calls"), "utf8").catch(() => "")).split("\n").filter(Boolean);
const row = "0, Tesla T4, 35, 100, 15360, 27.10, 40, 0, 0x0000000000000000";

test("the GPUs are read every ten seconds, and a reading is reported while it is fresh", async () => {
  const path = await standIn(folder, "nvidia-smi", `echo "$@" >>${folder}/calls\n[ -e ${folder}/broken ] && exit 9\necho "${row}"`);
  const { clock, logged, gpus } = sampler(path);
  await expect.poll(gpus).toMatchObject([{ index: 0, utilizationPercent: 35 }]);
  expect(await calls()).toEqual([expect.stringMatching(/^--query-gpu=index,name,.* --format=csv,noheader,nounits$/)]);
  await writeFile(join(folder, "broken"), "");
  await clock.pass(9_999);
  expect((await calls()).length).toBe(1);
  await clock.pass(1);
  await expect.poll(() => logged).toEqual(["GPU sampling failed: nvidia-smi exited with code 9 and printed: "]);
  await clock.pass(19_900);
  expect(gpus()).toBeDefined();
  await clock.pass(200);
  expect(gpus()).toBeUndefined();
  expect(logged.length).toBe(1);
});

test("an older driver is asked for the columns that it knows from then on", async () => {
  const refuse = `case "$1" in *clocks_event*) echo 'Field "clocks_event_reasons.active" is not a valid field to query.'; exit 2;; esac`;
  const path = await standIn(folder, "nvidia-smi", `echo "$1" >>${folder}/calls\n${refuse}\necho "${row}"`);
  const { clock, gpus } = sampler(path);
  await expect.poll(gpus).toMatchObject([{ index: 0, throttled: [] }]);
  await clock.pass(10_000);
  await expect
    .poll(async () => (await calls()).map((call) => /clocks_\w+/.exec(call)?.[0]))
    .toEqual(["clocks_event_reasons", "clocks_throttle_reasons", "clocks_throttle_reasons"]);
});

test("the readings of other GPUs are used if the driver reports an error of one GPU", async () => {
  const path = await standIn(
    folder,
    "nvidia-smi",
    `echo "Unable to determine the device handle for GPU 0000:00:1F.0: Unknown Error"\necho "${row}"\nexit 15`,
  );
  const { logged, gpus } = sampler(path);
  await expect.poll(gpus).toMatchObject([{ index: 0 }]);
  expect(logged).toEqual([]);
});

test("an nvidia-smi that hangs is killed with its children, and only one runs at a time", async () => {
  const path = await standIn(folder, "nvidia-smi", `sleep 60 &\necho $! >>${folder}/calls\nwait`);
  const { clock, logged, gpus } = sampler(path);
  await expect.poll(async () => (await calls()).length).toBe(1);
  await clock.pass(60_000);
  const [child, ...more] = await calls();
  expect(more).toEqual([]);
  await expect.poll(() => logged, { timeout: 8_000 }).toEqual(["GPU sampling failed: it took longer than 5 s"]);
  expect(gpus()).toBeUndefined();
  // A zombie process counts as dead.
  await expect.poll(() => readFile(`/proc/${child}/stat`, "utf8").catch(() => "gone")).toMatch(/^gone$|\) Z /);
});

test("without nvidia-smi this is logged once and no readings are reported", async () => {
  await mkdir(join(folder, "bin"));
  const { clock, logged, gpus } = sampler(join(folder, "bin"));
  await expect.poll(() => logged).toEqual([expect.stringContaining('GPUs not sampled: command not found: there is no "nvidia-smi"')]);
  await clock.pass(60_000);
  expect(logged.length).toBe(1);
  expect(gpus()).toBeUndefined();
});
