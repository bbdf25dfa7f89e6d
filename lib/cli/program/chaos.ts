import type { Command } from "commander";
import { inCheckout } from "../invocation/checkout.ts";
import { each, json, whole } from "./options.ts";
import type { Session } from "./session.ts";

export function addChaos(program: Command, { run, console }: Session): void {
  program
    .command("chaos")
    .description("run the fleet's own code under faults, in virtual time, and check invariants")
    .option("--runs <n>", "number of runs, each with its own seed (default: 200; with --wire, 1)", (text) => whole(text, 1, 10_000_000))
    .option("--seed <n>", "the first seed (default: 1); a single run prints the events that led to a failure", (text) =>
      whole(text, 0, Number.MAX_SAFE_INTEGER),
    )
    .option(
      "--scenario <name>",
      "the scenario of the runs: one that --list names, or a JSON file (default: standard); with --wire, outage or outage-table",
    )
    .option("--only <fault>", "inject only this fault, for example ec2.lost-answer; may be repeated", each)
    .option("--threads <n>", "number of threads that share the runs (default: 1)", (text) => whole(text, 1, 64))
    .option("--plant <bug>", "insert a known bug, to see that it is found")
    .option("--wire", "run on a local cloud instead, with real processes and in real time")
    .option("--reached", "also print how often each fault struck while jobs and nodes were in each state")
    .option("--list", "list the faults, the scenarios, the invariants and the bugs that can be planted")
    .addOption(json())
    .addHelpText(
      "after",
      `
Each run is a complete deployment: teams that send jobs, queues, the same flows that the functions run, a table, EC2 with its delays
and refusals, and the worker's own agent on every instance. Time is virtual, and everything is drawn from the seed, so that a seed
gives the same run on every machine. Faults strike at every seam for some minutes. Then they stop, and the fleet must return to rest.

With --wire, a run sends some jobs to the whole stack on this machine, with its handlers, workers and emulated services. Faults refuse,
throttle, delay or lose calls of EC2, take back spot instances, end instances, freeze and crash workers, kill handlers and send
messages twice. The seed decides the jobs and when each fault strikes. What a fault hits depends on the machine, so a seed does not
give the same run each time. A run takes about half a minute.

With --wire --scenario outage, no function can be reached for two minutes: calls of workers and users fail, no queue is read, and the
schedule does not tick. Meanwhile a machine hangs, EC2 ends another, a program ends, and jobs are sent. Then no job may be lost or have
run twice at the same time, no other node with work may have been ended, and a decision must follow within a minute. A machine that is
only silent is not judged before workers have been heard for 15 minutes again, so that an admin declares it dead instead. With
--scenario outage-table, the table does not respond. Such a run takes three to five minutes.

Examples:
  fleet chaos                                     200 runs of the standard scenario
  fleet chaos --runs 2000 --json | jq .violations  for CI: exits 1 if an invariant was violated
  fleet chaos --runs 1 --seed 4711                repeat one run, and print its last events if it fails
  fleet chaos --scenario wide --runs 10           500 jobs on some 50 nodes per run
  fleet chaos --scenario flood --runs 1           one team sends 100,000 crafted jobs, and those of others must begin
  fleet chaos --scenario poison --runs 100        one stored item cannot be read, and everything else must go on
  fleet chaos --scenario budgets --runs 50        budgets are used up, and renew at midnight
  fleet chaos --scenario two-releases --runs 100  an update, in which one release writes what the other cannot read
  fleet chaos --scenario throttled --runs 200     half of all calls of the table, EC2 and workers fail for an hour
  fleet chaos --scenario mine.json --runs 500     use your own pools, limits, offers and rates
  fleet chaos --plant fresh-token                 check that a launch repeated under another token is found
  fleet chaos --wire --runs 3                     do three runs on one local cloud, in real time
  fleet chaos --wire --scenario outage            an outage of two minutes, in real time
  fleet chaos --only ec2.lost-answer --only lambda.kill

A scenario lists only what differs from the standard one:
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
