import type { Metafile } from "esbuild";
import { describe, expect, test } from "vitest";
import { loadedOf, partOf, whyLarge } from "../../bench/cold/loaded.ts";

type Output = Metafile["outputs"][string];

const anOutput = (bytes: number, inputs: Readonly<Record<string, number>>, imports: Output["imports"] = []): Output => ({
  bytes,
  inputs: Object.fromEntries(Object.entries(inputs).map(([path, bytesInOutput]) => [path, { bytesInOutput }])),
  imports,
  exports: [],
});

const outputs = {
  "out/node/index.mjs": anOutput(100, { "functions/node.ts": 10, "node_modules/zod/v4/core/util.js": 80 }, [
    { path: "out/node/chunk.mjs", kind: "import-statement" },
    { path: "node:crypto", kind: "import-statement", external: true },
    { path: "out/node/kms.mjs", kind: "dynamic-import" },
  ]),
  "out/node/chunk.mjs": anOutput(50, { "node_modules/@smithy/core/dist-es/index.js": 45 }),
  "out/node/kms.mjs": anOutput(30, { "lib/aws/clients/kms.ts": 5, "node_modules/@smithy/core/dist-es/other.js": 20 }, [
    { path: "out/node/chunk.mjs", kind: "import-statement" },
  ]),
  "out/node/index.mjs.map": anOutput(999, {}),
};

describe("what a bundle loads", () => {
  test("what only a dynamic import reaches is loaded later, and source maps are not counted", () => {
    expect(loadedOf({ outputs })).toMatchObject({ bytes: 180, bytesAtImport: 150 });
  });

  test("parts are sorted by size, and a package that is loaded in two steps is two parts", () => {
    expect(loadedOf({ outputs }).parts).toEqual([
      { name: "zod", bytes: 80, isLazy: false },
      { name: "@smithy/core", bytes: 45, isLazy: false },
      { name: "@smithy/core", bytes: 20, isLazy: true },
      { name: "functions", bytes: 10, isLazy: false },
      { name: "lib/aws", bytes: 5, isLazy: true },
    ]);
  });

  test("a bundle without index.mjs is refused", () => {
    expect(() => loadedOf({ outputs: { "out/node/other.mjs": anOutput(1, {}) } })).toThrow("the bundle has no index.mjs");
  });

  test.each([
    ["node_modules/@aws-sdk/core/dist-es/index.js", "@aws-sdk/core"],
    ["node_modules/a/node_modules/b/index.js", "b"],
    ["lib/aws/table/keys.ts", "lib/aws"],
    ["events/names.ts", "events"],
  ])("%s belongs to %s", (input, part) => {
    expect(partOf(input)).toBe(part);
  });
});

describe("bundles that may be large", () => {
  const holding = (name: string) => whyLarge({ bytes: 0, bytesAtImport: 0, parts: [{ name, bytes: 1, isLazy: true }] });

  test("a bundle with the AWS Encryption SDK or the optimizer may be large, and says why", () => {
    expect(holding("@aws-crypto/client-node")).toBe("it holds the AWS Encryption SDK");
    expect(holding("lib/optimizer")).toBe("it holds the optimizer");
  });

  test("no other bundle may be large", () => {
    expect(holding("@aws-sdk/client-ec2")).toBeUndefined();
  });
});
