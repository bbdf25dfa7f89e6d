import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openCgroups } from "../../../lib/worker/run/cgroup.ts";

let root: string;
let warnings: string[];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fw-machine-"));
  warnings = [];
});
afterEach(() => rm(root, { recursive: true, force: true }));

const service = "/system.slice/fleetwright.service";
async function machine(cgroup = `0::${service}\n`): Promise<void> {
  for (const folder of ["run/systemd/system", "proc/self", `sys/fs/cgroup${service}`]) await mkdir(join(root, folder), { recursive: true });
  await writeFile(join(root, "proc/self/cgroup"), cgroup);
  await writeFile(join(root, "sys/fs/cgroup", service, "cgroup.controllers"), "cpu memory pids\n");
}
const open = (uid: number | undefined = 0) =>
  openCgroups((_level, message, _fields, error) => void warnings.push(`${message}: ${error instanceof Error ? error.message : error}`), {
    uid,
    root,
  });

test("a worker that is a systemd service of root limits its jobs", async () => {
  await machine();
  const cgroups = await open();
  expect(warnings).toEqual([]);
  await cgroups?.make("job", { vcpus: 2, memoryGiB: 1 });
  expect(await readFile(join(root, "sys/fs/cgroup", service, "job", "cpu.max"), "utf8")).toBe("200000 100000");
  expect(await readFile(join(root, "sys/fs/cgroup", service, "worker", "cgroup.procs"), "utf8")).toBe(String(process.pid));
});

test.each<[string, number | undefined, string, string]>([
  ["is not root", 1_000, `0::${service}`, "the worker is not root"],
  ["runs on a system without users", undefined, `0::${service}`, "the worker is not root"],
  ["is not a systemd service", 0, "0::/user.slice/session.scope", "the worker is not a systemd service"],
])("a worker that %s runs jobs without limits, and logs why", async (_what, uid, cgroup, why) => {
  await machine(cgroup);
  expect(
    await openCgroups((_level, message, _fields, error) => void warnings.push(`${message}: ${(error as Error).message}`), { uid, root }),
  ).toBeUndefined();
  expect(warnings).toEqual([`jobs run without memory and CPU limits: ${why}`]);
});

test("a worker on a machine without systemd runs jobs without limits, and logs why", async () => {
  expect(await open()).toBeUndefined();
  expect(warnings).toMatchObject([expect.stringMatching(/^jobs run without memory and CPU limits: ENOENT.*systemd/)]);
});
