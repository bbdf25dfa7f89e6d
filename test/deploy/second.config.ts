import type { ConfigurationFile } from "../../cdk/configuration/configuration.ts";
import first from "../../cdk/fleet.config.ts";

/** A deployment beside the default one, which differs from it only by its name. */
export default { ...first, name: "second" } satisfies ConfigurationFile;
