import { resolve } from "node:path";

/** The folder that the user is in: `npm run fleet` starts us in the package's own, whichever that was. */
export function askedFrom(environment: NodeJS.ProcessEnv, current: string): string {
  const { npm_lifecycle_event: script, INIT_CWD: folder } = environment;
  return script === "fleet" && folder ? folder : current;
}

/** The file or folder that the user means by a path. */
export const asMeant = (path: string): string => resolve(askedFrom(process.env, process.cwd()), path);
