import pMap from "p-map";
import { expect, test } from "vitest";
import { place } from "../../../lib/flows/place.ts";
import { loadPool } from "../../../lib/flows/pool/load-pool.ts";
import { submitJob } from "../../../lib/flows/submit-job.ts";
import { aCatalogue, aPool } from "../../fakes/builders.ts";
import { aWorld } from "../../unit/flows/world.ts";
import { ledgerOn, newTable } from "../dynamodb-ledger.ts";

test("300 messages about ten jobs result in ten jobs and ten nodes, whatever decisions run at the same time", async () => {
  const ledger = ledgerOn(await newTable());
  const world = aWorld({ pool: aPool({ limits: { usdPerHour: 100, gpus: 100 } }) });
  await ledger.catalogues.put("gpu", aCatalogue());
  const submitDeps = { ...world.submitDeps, ...ledger };
  const placeDeps = { ...world.placeDeps, ...ledger };
  const decideTwice = () => Promise.all([1, 2].map(() => place(placeDeps, { pool: world.pool, msLeft: () => 20_000 })));
  const send = async (n: number): Promise<void> => {
    const id = `job-${n % 10}`;
    const body = JSON.stringify({ id, command: ["python", "train.py"] });
    await submitJob(submitDeps, { team: "vision", messageId: `message-${n}`, body, sentAtMs: world.nowMs });
    const message = world.lane.receive();
    if (message) {
      await decideTwice();
      message.done();
    }
  };
  await pMap(
    Array.from({ length: 300 }, (_, n) => n),
    send,
    { concurrency: 25 },
  );
  await decideTwice();
  await decideTwice();
  const launched = world.fleet.live.map(({ launch }) => launch.id);
  expect(world.fleet.live).toHaveLength(10);
  expect(world.fleet.instances.size).toBe(10);
  const { nodes, openLaunches, reserved, queue } = await loadPool(ledger, "gpu", world.nowMs);
  expect(nodes.map((node) => node.launch).sort()).toEqual([...launched].sort());
  expect(nodes.flatMap((node) => node.assignments.map(({ job }) => job)).sort()).toEqual(Array.from({ length: 10 }, (_, n) => `job-${n}`));
  expect({ openLaunches, queue, reserved }).toEqual({ openLaunches: [], queue: [], reserved: { usdPerHour: 5, gpus: 10 } });
}, 60_000);
