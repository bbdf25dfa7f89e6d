import type { TwoClocks } from "../../../aws/account/caller.ts";
import { duration } from "../../terminal/duration.ts";
import { anError, aWarning, couldNotCheck, type Finding } from "../findings/finding.ts";

const warningMs = 60_000;
/** AWS refuses signatures that are older. */
const refusedMs = 5 * 60_000;

/** Checks this machine's clock against AWS's. Undefined if no response had a date. */
export function clockFindings(clocks: TwoClocks | undefined): readonly Finding[] {
  if (!clocks) return [couldNotCheck("clock", "no response of AWS had a date")];
  const aheadMs = clocks.hereMs - clocks.awsMs;
  const offMs = Math.abs(aheadMs);
  if (offMs <= warningMs) return [];
  const says = `this machine's clock is ${duration(offMs)} ${aheadMs > 0 ? "ahead of" : "behind"} AWS's`;
  const mend = "set the clock, for example with `sudo timedatectl set-ntp true`";
  if (offMs <= refusedMs) return [aWarning("clock.off", says, mend)];
  return [anError("clock.refused", `${says}, and signatures that are off by more than five minutes are refused`, mend)];
}
