import { Duration } from "aws-cdk-lib";
import type { FunctionName } from "../../lib/runtime/env.ts";

/** The timeout of each function, from which the queues' visibility follows. */
export const timeouts: Readonly<Record<FunctionName, Duration>> = {
  "submit-jobs": Duration.seconds(20),
  place: Duration.seconds(20),
  "ring-later": Duration.seconds(10),
  node: Duration.seconds(15),
  "seal-artifact": Duration.minutes(10),
  // An outbox of a gigabyte, whose files are decrypted and uploaded one after the other.
  "take-outbox": Duration.minutes(10),
  "rebalance-shards": Duration.minutes(2),
  "on-instance": Duration.seconds(15),
  "on-alarm": Duration.seconds(15),
  // The API usually responds within a second; reads from S3 may take longer.
  api: Duration.seconds(29),
  tick: Duration.seconds(55),
  // Most instances end within one or two minutes; the largest GPU instances may take longer. Lambda allows no more.
  "end-fleet": Duration.minutes(15),
};
