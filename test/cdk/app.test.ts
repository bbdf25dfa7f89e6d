import { cpSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { Validations } from "aws-cdk-lib";
import { Annotations, Match, Template } from "aws-cdk-lib/assertions";
import { Bucket } from "aws-cdk-lib/aws-s3";
import { AwsSolutionsChecks } from "cdk-nag";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { root } from "../../cdk/bundles/root.ts";
import { buildWorker } from "../../cdk/bundles/worker-assets.ts";
import { pinnedNode, workerNode } from "../../cdk/bundles/worker-node.ts";
import fleetConfig from "../../cdk/fleet.config.ts";
import localConfig from "../../cdk/local.config.ts";
import { aFleetApp } from "./synthesized.ts";

describe("the app", () => {
  test.each([
    ["as deployed", fleetConfig],
    ["as the local cloud runs it", localConfig],
    [
      "with other names, teams and pools",
      { ...fleetConfig, name: "blue", teams: ["a"], zones: 1, alarmTopicArn: "arn:aws:sns:us-east-1:111122223333:alarms" },
    ],
  ])("the app %s passes cdk-nag's AwsSolutions pack", (_what, configuration) => {
    const { app } = aFleetApp(configuration);
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).not.toThrow();
  });

  test("the fleet of the local cloud is the one that the demonstration and the documents expect", () => {
    expect(localConfig).toMatchSnapshot();
  });

  test("the app is not synthesized if cdk-nag finds a problem", () => {
    const { app, stack } = aFleetApp();
    new Bucket(stack, "Careless");
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    expect(() => app.synth()).toThrow(/AwsSolutions-S10/);
  });

  test("the app needs no look-ups, no account and no region", () => {
    const { app } = aFleetApp();
    const assembly = app.synth();
    expect(assembly.manifest.missing).toBeUndefined();
    expect(assembly.getStackByName("Fleetwright-fleetwright").environment).toMatchObject({
      account: "unknown-account",
      region: "unknown-region",
    });
  });

  test("a deployment of another name is another stack", () => {
    const { app } = aFleetApp({ ...fleetConfig, name: "second" });
    expect(app.synth().getStackByName("Fleetwright-second").stackName).toBe("Fleetwright-second");
  });

  test("every alarm notifies the admin's topic, and the stack outputs the API's URL", () => {
    const topic = "arn:aws:sns:us-east-1:111122223333:alarms";
    const template = Template.fromStack(aFleetApp({ ...fleetConfig, alarmTopicArn: topic }).stack);
    template.allResourcesProperties("AWS::CloudWatch::Alarm", { AlarmActions: [topic] });
    expect(template.findOutputs("ApiUrl")).toMatchObject({
      ApiUrl: { Value: { "Fn::GetAtt": [expect.stringMatching(/^Api/), "FunctionUrl"] } },
    });
  });

  test("every resource of the template names its construct, by which an admin finds it in the sources", () => {
    const { Resources } = z
      .object({ Resources: z.record(z.string(), z.object({ Metadata: z.record(z.string(), z.unknown()).optional() })) })
      .parse(Template.fromStack(aFleetApp().stack).toJSON());
    const nameless = Object.entries(Resources).filter(([, { Metadata }]) => !String(Metadata?.["aws:cdk:path"]).startsWith("Fleetwright/"));
    expect(nameless).toEqual([]);
  });

  test("the worker's bundle has at most 800 KB, because each node loads it while it boots", () => {
    expect(statSync(buildWorker().worker).size).toBeLessThan(800_000);
  });

  test("a worker's Node that could not be had stops the deployment, and says why", () => {
    const problem = "it could not be downloaded: no network";
    const { app, stack } = aFleetApp(fleetConfig, { node: { path: aFile(Buffer.from("no program")), problem } });
    Annotations.fromStack(stack).hasError("/Fleetwright/Worker", Match.stringLikeRegexp("Nodes need Node 24.*no network"));
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    // The template is written nevertheless, so that it can be looked at.
    expect(() => app.synth()).not.toThrow();
  });
});

describe("the Node that runs workers", () => {
  const packages = z.object({ devDependencies: z.object({ node: z.string() }) });
  const folder = (): string => mkdtempSync(join(tmpdir(), "fleetwright-node-"));
  const foreign = () => aFile(Buffer.from("cffaedfe", "hex"));
  const never = (): string => {
    throw new Error("no network");
  };

  test("the pinned version is the one that package.json names, and the pinned hash is the one of the file that npm installed for it", () => {
    const { devDependencies } = packages.parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
    expect(pinnedNode.version).toBe(devDependencies.node);
    if (process.platform === "linux" && process.arch === "x64")
      expect(workerNode({ folder: folder(), download: never })).toEqual({ path: join(root, "node_modules", "node", "bin", "node") });
  });

  test("on a system whose own Node is another file, the pinned one is downloaded once and kept", () => {
    const [kept, own] = [folder(), foreign()];
    let downloads = 0;
    const download = (into: string): string => {
      downloads += 1;
      cpSync(join(root, "node_modules", "node", "bin", "node"), join(into, "node"));
      return join(into, "node");
    };
    const first = workerNode({ own, folder: kept, download });
    expect([first.problem, dirname(first.path), readdirSync(kept)]).toEqual([undefined, kept, [basename(first.path)]]);
    expect(workerNode({ own, folder: kept, download })).toEqual(first);
    expect(downloads).toBe(1);
  });

  test("a download that fails, or that is another file, is a problem and leaves nothing behind", () => {
    const [kept, own] = [folder(), foreign()];
    expect(workerNode({ own, folder: kept, download: never })).toEqual({ path: own, problem: "it could not be downloaded: no network" });
    expect(workerNode({ own, folder: kept, download: foreign }).problem).toContain("is not the file whose hash is pinned");
    expect(readdirSync(kept)).toEqual([]);
  });
});

function aFile(content: Buffer): string {
  const file = join(mkdtempSync(join(tmpdir(), "fleetwright-node-")), "node");
  writeFileSync(file, content);
  return file;
}
