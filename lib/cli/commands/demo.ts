import { connectLocal } from "../connection.ts";
import type { Console } from "../console.ts";
import { run } from "../demo/run.ts";
import { summaryLines } from "../demo/summary.ts";
import { duration } from "../duration.ts";
import { exitCodes } from "../exit.ts";
import { cloudFolder } from "../folders.ts";
import { withLocalCloud } from "../local-session.ts";

/** The whole demonstration ends within this, well or not. */
const longestMs = 165_000;
/** Nobody wants to watch two minutes of notice. */
const interruptionNoticeMs = 12_000;

/** Shows the whole product on this machine: jobs through SQS, nodes, artifacts, and the fleet back at zero. */
export async function demo(options: { json?: boolean | undefined }, console: Console): Promise<number> {
  const startedMs = Date.now();
  const tell = (line: string): void =>
    (options.json ? console.note : console.out)(`${duration(Date.now() - startedMs).padStart(9)}  ${line}`);
  const outcome = await withLocalCloud({ folder: cloudFolder, log: tell, ec2: { interruptionNoticeMs } }, async (cloud, { signal }) => {
    const stop = AbortSignal.any([signal, AbortSignal.timeout(longestMs)]);
    return run({ cloud, connection: await connectLocal(cloud.deployment.name, cloud.endpoint), tell, stop });
  });
  if (outcome === "interrupted") {
    console.note("interrupted; everything that was started has been ended");
    return exitCodes.interrupted;
  }
  if (options.json) console.out(JSON.stringify(outcome));
  else for (const line of ["", ...summaryLines(outcome), "", outcome.ok ? "All of it worked." : "Not all of it worked."]) console.out(line);
  return outcome.ok ? exitCodes.ok : exitCodes.failed;
}
