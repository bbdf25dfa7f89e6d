import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { inspect, promisify } from "node:util";
import { build, type Plugin } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../../cdk/bundles/root.ts";
import { shakenSchemas, withPlainKeys } from "../../cdk/bundles/shaken-schemas.ts";
import { standIns } from "../../cdk/bundles/stand-ins.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bundles-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Bundles a source text, with and without plugins, and returns the bundle's path and its size in bytes. */
async function bundled(name: string, contents: string, plugins: Plugin[]): Promise<{ readonly path: string; readonly bytes: number }> {
  const outfile = join(folder, `${name}.mjs`);
  const { metafile } = await build({
    absWorkingDir: root,
    stdin: { contents, resolveDir: root },
    bundle: true,
    platform: "node",
    format: "esm",
    mainFields: ["module", "main"],
    outfile,
    plugins,
    metafile: true,
  });
  return { path: outfile, bytes: Object.values(metafile.outputs)[0]?.bytes ?? 0 };
}

describe("schemas of the SDK", () => {
  test("only keys that are constant texts of the same file are replaced", () => {
    const source = 'const _a = "A";\nconst _n = 5;\nexport const x = { [_a]: 1, [_n]: [_a, 2], [_b]: 3 };\n';
    expect(withPlainKeys(source)).toBe('const _a = "A";\nconst _n = 5;\nexport const x = { "A": 1, [_n]: [_a, 2], [_b]: 3 };\n');
  });

  test.each(["client-ec2", "client-s3", "client-dynamodb", "client-sqs", "client-kms", "client-sts"])(
    "the schemas of %s are the same ones with plain keys",
    async (client) => {
      const source = `export * from "./node_modules/@aws-sdk/${client}/dist-es/schemas/schemas_0.js";`;
      const [before, after] = await Promise.all([
        bundled(`${client}-before`, source, []),
        bundled(`${client}-after`, source, [shakenSchemas]),
      ]);
      const [theirs, ours] = await Promise.all([before, after].map(async ({ path }) => ({ ...(await import(pathToFileURL(path).href)) })));
      expect(Object.keys(ours ?? {}).length).toBeGreaterThan(10);
      const all = { depth: 20, maxArrayLength: null };
      expect(inspect(ours, all) === inspect(theirs, all)).toBe(true);
    },
    60_000,
  );

  test("a bundle with one command of EC2 does not hold the schemas of the others", async () => {
    const source = 'export { DescribeInstancesCommand } from "@aws-sdk/client-ec2";';
    const [before, after] = await Promise.all([bundled("ec2-before", source, []), bundled("ec2-after", source, [shakenSchemas])]);
    expect(after.bytes).toBeLessThan(before.bytes / 3);
  }, 60_000);
});

describe("stand-ins", () => {
  test("the credentials of a function are those of its environment", async () => {
    const source = `import { defaultProvider } from "@aws-sdk/credential-provider-node";
      console.log(JSON.stringify(await defaultProvider({})()));`;
    const { path } = await bundled("credentials", source, [standIns]);
    const env = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret", AWS_SESSION_TOKEN: "token", AWS_PROFILE: "other" };
    const { stdout } = await promisify(execFile)(process.execPath, [path], { env });
    expect(JSON.parse(stdout)).toMatchObject({ accessKeyId: "id", secretAccessKey: "secret", sessionToken: "token" });
  });

  test.each([
    ["with the stand-in", [standIns], false],
    ["without it", [], true],
  ])("importing node:http %s loads Node's fetch: %#", async (name, plugins, isLoaded) => {
    const source = `const { Agent } = await import("node:http");
      console.log(typeof Agent, process.moduleLoadList.some((each) => each.includes("undici/undici")));`;
    const { path } = await bundled(`http ${name}`, source, plugins);
    const { stdout } = await promisify(execFile)(process.execPath, [path]);
    expect(stdout.trim()).toBe(`function ${isLoaded}`);
  });

  test("a build fails if code imports something from node:http that the stand-in lacks", async () => {
    await expect(bundled("server", 'import { createServer } from "node:http"; createServer();', [standIns])).rejects.toThrow(
      "createServer",
    );
  });
});
