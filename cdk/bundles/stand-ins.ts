import type { Plugin } from "esbuild";
import { root } from "./root.ts";

/** Modules that functions get in place of others, because loading those takes a large part of a cold start and adds nothing there. */
const sources = new Map([
  // A function's credentials are always in its environment. The SDK's chain of providers looks there, too, but adds 110 kB of code for sign-in,
  // metadata services and profiles, and loads Node's own `fetch`.
  ["@aws-sdk/credential-provider-node", 'export { fromEnv as defaultProvider } from "@aws-sdk/credential-provider-env";'],
  // An import of `node:http` reads all of its exports, one of which loads Node's own `fetch`, for 25 ms. The SDK uses only these.
  ["node:http", 'export const { Agent, request } = process.getBuiltinModule("node:http");'],
]);

/** Puts the stand-ins in the place of their modules. The build fails if code imports anything else from one of those. */
export const standIns: Plugin = {
  name: "stand-ins",
  setup(build) {
    build.onResolve({ filter: new RegExp(`^(?:${[...sources.keys()].join("|")})$`) }, ({ path }) => ({ path, namespace: "stand-in" }));
    build.onLoad({ filter: /./, namespace: "stand-in" }, ({ path }) => ({ contents: sources.get(path) ?? "", resolveDir: root }));
  },
};
