import { UsageError } from "./exit.ts";
import { isInstalled } from "./folders.ts";

/** Throws a UsageError unless this is a checkout, because the command needs the fleet's own sources. */
export async function inCheckout(command: string, installed: boolean = isInstalled): Promise<void> {
  if (!installed) return;
  throw new UsageError(
    [
      `"${command}" needs Fleetwright's sources, which this installed command does not have`,
      `run it in a checkout of Fleetwright: npm ci && npm run -s fleet ${command}`,
      "the installed command finds a local cloud that you run from a checkout",
    ].join("\n  "),
  );
}
