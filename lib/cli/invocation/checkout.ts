import { UsageError } from "./exit.ts";
import { isInstalled } from "./folders.ts";

/** Resolves in a checkout. What runs the fleet's own sources on this machine cannot do without them, and says so. */
export async function inCheckout(command: string, installed: boolean = isInstalled): Promise<void> {
  if (!installed) return;
  throw new UsageError(
    [
      `"${command}" runs Fleetwright's own sources, which this installed command does not have`,
      `in a checkout of Fleetwright: npm ci && npm run -s fleet ${command}`,
      "commands here find a local cloud that a checkout of this user runs",
    ].join("\n  "),
  );
}
