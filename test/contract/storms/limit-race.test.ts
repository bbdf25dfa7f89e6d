import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { expect, test } from "vitest";
import { generator } from "../../../lib/local/ec2/behaviour/seeded.ts";
import { FleetError } from "../../../lib/model/fleet-error.ts";
import type { Launch } from "../../../lib/model/launch.ts";
import type { Fence } from "../../../lib/ports/pool-ledger.ts";
import type { LedgerPorts } from "../../../lib/sim/memory/ledger-ports.ts";
import { aLaunch, anOffer, aType, monday } from "../../fakes/builders.ts";
import { colliding } from "../colliding.ts";
import { clientWithSmallPages, ledgerOn, newTable } from "../dynamodb-ledger.ts";
import { newNode } from "../suites/arrange.ts";

const pools = Array.from({ length: 25 }, (_, n) => `pool-${n}`);
const teams = ["vision", "speech", undefined];
const limits = { pool: { usdPerHour: 1000, gpus: 40 }, team: { usdPerHour: 12, gpus: 1000 }, deployment: { usdPerHour: 25, gpus: 30 } };

/** One handler: it takes the pool's next epoch, intends, settles with what EC2 gave and ends nodes, unless it crashes or is overtaken. */
async function handler(ledger: LedgerPorts, of: { n: number; random: () => number }): Promise<void> {
  const { n, random } = of;
  const pool = `pool-${n % pools.length}`;
  const { fence } = await ledger.decisions.begin(pool);
  for (let round = 0; round < 2; round += 1) {
    const team = teams[Math.floor(random() * teams.length)];
    const id = `launch-${n}-${round}`;
    const price = Math.ceil(random() * 30) / 10;
    const count = 1 + Math.floor(random() * 3);
    const type = aType({ resources: { vcpus: 4, memoryGiB: 16, gpus: 1 } });
    const offers = [anOffer({ usdPerHour: price })];
    const reserved = { usdPerHour: Math.round(price * count * 1e6) / 1e6, gpus: count };
    const launch = aLaunch({ id, clientToken: id, pool, team, count, offers, types: [type], reserved });
    const outcome = await ledger.placements.intend(fence, launch, limits);
    if (outcome === "fenced") return;
    if (outcome !== "done" || random() < 0.2) continue;
    await settle(ledger, fence, { launch, came: Math.floor(random() * (count + 1)), cheaper: random() });
  }
}

async function settle(ledger: LedgerPorts, fence: Fence, of: { launch: Launch; came: number; cheaper: number }): Promise<void> {
  const { launch, came, cheaper } = of;
  const dearest = launch.offers[0]?.usdPerHour ?? 0;
  const nodes = Array.from({ length: came }, (_, n) =>
    newNode({
      id: `i-${launch.id}-${n}`,
      pool: launch.pool,
      team: launch.team,
      launch: launch.id,
      offer: anOffer({ usdPerHour: Math.round(dearest * cheaper * 1e6) / 1e6 }),
    }),
  );
  const settled = await ledger.placements.settle(fence, { launch, nodes, atMs: monday });
  const [first] = nodes;
  if (settled === "done" && first && cheaper < 0.5) await ledger.placements.terminating(fence, first.id, monday + 1);
}

test("50 handlers of 25 pools that race for one limit never exceed it, and what is reserved in the end is what is live", async () => {
  const owner = await newTable();
  const reader = ledgerOn(owner);
  const { wire, collisions } = colliding();
  let tooBusy = 0;
  const handlers = Array.from({ length: 50 }, async (_, n) => {
    const base = clientWithSmallPages();
    wire(base);
    const ledger = ledgerOn({ client: DynamoDBDocumentClient.from(base), table: owner.table });
    await handler(ledger, { n, random: generator(n) }).catch((error: unknown) => {
      // A handler that gave up is like one that crashed: what it left is settled below.
      if (!(error instanceof FleetError && error.retry)) throw error;
      tooBusy += 1;
    });
    base.destroy();
  });
  let isOver = false;
  const all = Promise.all(handlers).finally(() => {
    isOver = true;
  });
  let reads = 0;
  let most = { usdPerHour: 0, gpus: 0 };
  while (!isOver) {
    const { reservedWider } = await reader.decisions.load("pool-0", monday);
    const { deployment } = reservedWider;
    expect(deployment.usdPerHour).toBeLessThanOrEqual(limits.deployment.usdPerHour);
    expect(deployment.gpus).toBeLessThanOrEqual(limits.deployment.gpus);
    for (const team of Object.values(reservedWider.teams)) expect(team.usdPerHour).toBeLessThanOrEqual(limits.team.usdPerHour);
    most = { usdPerHour: Math.max(most.usdPerHour, deployment.usdPerHour), gpus: Math.max(most.gpus, deployment.gpus) };
    reads += 1;
  }
  await all;
  expect(reads).toBeGreaterThan(20);
  expect(collisions()).toBeGreaterThan(50);
  expect(tooBusy).toBeLessThan(5);
  // The handlers did compete for the limit. Otherwise, this test would show nothing.
  expect(most.usdPerHour).toBeGreaterThan(limits.deployment.usdPerHour - 3);

  const live: { team: string | undefined; usdPerHour: number; gpus: number }[] = [];
  for (const pool of pools) {
    const { fence } = await reader.decisions.begin(pool);
    const { openLaunches, nodes } = await reader.decisions.load(pool, monday);
    for (const launch of openLaunches) expect(await reader.placements.settle(fence, { launch, nodes: [], atMs: monday })).toBe("done");
    const held = nodes.filter(({ released }) => !released);
    live.push(...held.map(({ team, offer, type }) => ({ team, usdPerHour: offer.usdPerHour, gpus: type.resources.gpus })));
    const { reserved } = await reader.decisions.state(pool);
    expect(reserved.gpus, `GPUs of pool ${pool}`).toBe(held.length);
  }
  const sum = (those: typeof live) => Math.round(those.reduce((usd, { usdPerHour }) => usd + usdPerHour, 0) * 1e6) / 1e6;
  const { reservedWider } = await reader.decisions.load("pool-0", monday);
  expect(reservedWider.deployment).toEqual({ usdPerHour: sum(live), gpus: live.length });
  for (const team of ["vision", "speech"]) {
    const its = live.filter((node) => node.team === team);
    expect(reservedWider.teams[team]).toEqual({ usdPerHour: sum(its), gpus: its.length });
  }
}, 60_000);
