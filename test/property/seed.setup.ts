import fc from "fast-check";
import { isStorm } from "./storm-runs.ts";

// `npm test` uses the same seed each time, so that only a change can make it fail; the storms use a new seed, and report it on a failure.
if (!isStorm) fc.configureGlobal({ seed: 1 });
