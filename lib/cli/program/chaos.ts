import type { Command } from "commander";
import { inCheckout } from "../invocation/checkout.ts";
import { each, json, whole } from "./asked.ts";
import type { Session } from "./session.ts";

export function addChaos(program: Command, { run, console }: Session): void {
  program
    .command("chaos")
    .description("put the fleet's own code through faults, in virtual time, and check that nine things always hold")
    .option("--runs <n>", "how many runs, each of its own seed (default: 200; over the wire, 1)", (text) => whole(text, 1, 10_000_000))
    .option("--seed <n>", "the first seed (default: 1); one run alone tells the story of what went wrong", (text) =>
      whole(text, 0, Number.MAX_SAFE_INTEGER),
    )
    .option("--scenario <file>", "what runs are about, as JSON (default: the standard scenario)")
    .option("--only <fault>", "only this fault, such as ec2.lost-answer; may be given again", each)
    .option("--threads <n>", "threads to share the runs (default: 1)", (text) => whole(text, 1, 64))
    .option("--plant <bug>", "put a known bug in, to see it found")
    .option("--wire", "on a local cloud of its own instead, with real processes and real time")
    .option("--list", "list the faults, the invariants and the bugs that can be planted")
    .addOption(json())
    .addHelpText(
      "after",
      `
Each run is a deployment of its own: teams that send jobs, queues, the very flows that the functions run, a table, EC2 with its
lags and refusals, and the worker's own agent on every machine. Time is virtual, and everything is drawn from the seed: a seed's run
is the same each time, on every machine. Faults strike for some minutes at every seam; then they stop, and all has to come to rest.

Over the wire, a run sends some jobs to the whole stack on this machine, with its handlers, workers and emulated services. Calls of
EC2 are refused, throttled, answered late or never, spot instances taken back, instances ended, workers frozen and crashed, handlers
killed, messages sent twice. The seed draws what is asked for and what strikes when; what meets what is up to the machine, so that
a seed's run is not the same each time. A run takes about half a minute.

Examples:
  fleet chaos                                     200 runs of the standard scenario
  fleet chaos --runs 2000 --json | jq .violations  for CI: exits 1 if anything did not hold
  fleet chaos --runs 1 --seed 4711                one run again, with the last things that happened when it fails
  fleet chaos --scenario mine.json --runs 500     your pools, limits, offers and rates
  fleet chaos --plant fresh-token                 see that a launch repeated under another token is found
  fleet chaos --wire --runs 3                     three runs over the wire, on one local cloud
  fleet chaos --only ec2.lost-answer --only lambda.kill

A scenario names only what differs from the standard one:
  { "minutes": 20, "pools": [{ "name": "gpu", "limits": { "usdPerHour": 50, "gpus": 16 } }],
    "jobs": { "count": { "from": 20, "to": 40 } }, "faults": { "spot.storm": 1, "table.throttle": 0 } }`,
    )
    .action(({ wire, ...options }) =>
      run(
        inCheckout("chaos").then(() =>
          wire
            ? import("../commands/chaos-wire.ts").then(({ chaosWire }) => chaosWire(options, console))
            : import("../commands/chaos.ts").then(({ chaosCommand }) => chaosCommand(options, console)),
        ),
      ),
    );
}
