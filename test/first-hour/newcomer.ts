import { join } from "node:path";

/**
 * Returns a newcomer's environment: without this machine's settings of AWS and npm (but with the certificates that its network needs),
 * and with a state folder of its own, so that a developer's local cloud is neither found nor disturbed.
 */
export function newcomer(home: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(AWS_|FLEETWRIGHT_|XDG_|npm_|NODE_(?!EXTRA_CA_CERTS))|^INIT_CWD$/.test(name),
  );
  const path = (process.env["PATH"] ?? "").split(":").filter((folder) => !folder.endsWith("node_modules/.bin"));
  return {
    ...Object.fromEntries(kept),
    PATH: path.join(":"),
    XDG_STATE_HOME: join(home, "state"),
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
  };
}
