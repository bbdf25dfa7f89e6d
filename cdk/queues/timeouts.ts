import { Duration } from "aws-cdk-lib";
import type { FunctionName } from "../../lib/runtime/env.ts";

/** How long each function may take; the queues' visibility follows from it. */
export const timeouts: Readonly<Record<FunctionName, Duration>> = {
  "submit-jobs": Duration.seconds(20),
  place: Duration.seconds(20),
  "ring-later": Duration.seconds(10),
  node: Duration.seconds(15),
  "seal-artifact": Duration.minutes(10),
  "rebalance-shards": Duration.minutes(2),
  "on-instance": Duration.seconds(15),
  "on-alarm": Duration.seconds(15),
  // The API answers in a second; what it reads from S3 may take longer.
  api: Duration.seconds(29),
  tick: Duration.seconds(55),
  // Instances take a minute or two to end; a GPU of the largest may take longer. Lambda gives no more.
  "end-fleet": Duration.minutes(15),
};
