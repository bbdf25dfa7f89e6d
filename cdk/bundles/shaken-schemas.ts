import { readFile } from "node:fs/promises";
import type { Plugin } from "esbuild";

/**
 * Lets esbuild leave out the schemas that a bundle does not use. A generated file of each client of the SDK describes everything that its service
 * sends and receives: half a megabyte for EC2. Its objects have computed keys, such as `{[_xN]: "item"}`, and esbuild keeps every object
 * with a computed key, because computing it could have an effect. Here, it does not: each key is a constant of the same file, which is put in
 * its place.
 */
export const shakenSchemas: Plugin = {
  name: "shaken-schemas",
  setup(build) {
    build.onLoad({ filter: /[\\/]dist-es[\\/]schemas[\\/]schemas_\d+\.js$/ }, async ({ path }) => ({
      contents: withPlainKeys(await readFile(path, "utf8")),
      loader: "js",
    }));
  },
};

/** Replaces each computed key that is a constant text of the same file by that text. */
export function withPlainKeys(source: string): string {
  const constants = new Map([...source.matchAll(/^const (\w+) = ("[^"\\\n]*");$/gm)].map(([, name = "", text = ""]) => [name, text]));
  return source.replaceAll(/\[(\w+)\]:/g, (key, name: string) => {
    const text = constants.get(name);
    return text === undefined ? key : `${text}:`;
  });
}
