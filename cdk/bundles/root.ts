import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** The path of the repository's root folder. */
export const root: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
