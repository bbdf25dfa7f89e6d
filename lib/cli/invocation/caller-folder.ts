import { resolve } from "node:path";

/** Returns the folder that the user is in. `npm run fleet` starts us in the package's folder, and sets INIT_CWD to the user's. */
export function callerFolder(environment: NodeJS.ProcessEnv, current: string): string {
  const { npm_lifecycle_event: script, INIT_CWD: folder } = environment;
  return script === "fleet" && folder ? folder : current;
}

/** Resolves a path that the user gave, from the user's folder. */
export const asMeant = (path: string): string => resolve(callerFolder(process.env, process.cwd()), path);
