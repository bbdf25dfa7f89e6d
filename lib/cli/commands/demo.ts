import { run } from "../demo/run.ts";
import { summaryLines } from "../demo/summary.ts";
import { exitCodes } from "../invocation/exit.ts";
import { cloudFolder } from "../invocation/folders.ts";
import { connectLocal } from "../session/connection.ts";
import { withLocalCloud } from "../session/local-session.ts";
import type { Console } from "../terminal/console.ts";
import { duration } from "../terminal/duration.ts";

/** The demonstration gives up if nothing happens for this long. The total time is not limited, because slow machines take longer. */
const standstillMs = 90_000;
/** Shorter than the two minutes of EC2, so that the demonstration does not wait. */
const interruptionNoticeMs = 12_000;

/** Demonstrates the whole product on this machine: jobs through SQS, nodes, artifacts, and the fleet back at zero. */
export async function demo(options: { json?: boolean | undefined }, console: Console): Promise<number> {
  const startedMs = Date.now();
  const standstill = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const print = (line: string): void => {
    timer?.refresh();
    (options.json ? console.note : console.out)(`${duration(Date.now() - startedMs).padStart(9)}  ${line}`);
  };
  const outcome = await withLocalCloud({ folder: cloudFolder, log: print, ec2: { interruptionNoticeMs } }, async (cloud, { signal }) => {
    timer = setTimeout(() => standstill.abort(), standstillMs);
    const stop = AbortSignal.any([signal, standstill.signal]);
    return run({ cloud, connection: await connectLocal(cloud.deployment.name, cloud.endpoint), print, stop });
  }).finally(() => clearTimeout(timer));
  if (standstill.signal.aborted) console.note(`gave up: nothing happened for ${duration(standstillMs)}`);
  if (outcome === "interrupted") {
    console.note("interrupted; everything that was started has been ended");
    return exitCodes.interrupted;
  }
  if (options.json) console.out(JSON.stringify(outcome));
  else
    for (const line of ["", ...summaryLines(outcome), "", outcome.ok ? "Everything worked." : "Something failed; see above."])
      console.out(line);
  return outcome.ok ? exitCodes.ok : exitCodes.failed;
}
