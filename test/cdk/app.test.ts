import { mkdtempSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Validations } from "aws-cdk-lib";
import { Annotations, Match, Template } from "aws-cdk-lib/assertions";
import { Bucket } from "aws-cdk-lib/aws-s3";
import { AwsSolutionsChecks } from "cdk-nag";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { buildWorker, notLinuxX64 } from "../../cdk/bundles/worker-assets.ts";
import fleetConfig from "../../cdk/fleet.config.ts";
import localConfig from "../../cdk/local.config.ts";
import { aFleetApp, linuxProgram } from "./synthesized.ts";

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

  test("a Node binary that nodes cannot run stops the deployment", () => {
    const { app, stack } = aFleetApp(fleetConfig, { node: aFile(Buffer.from("cffaedfe0c00000100000000020000000000", "hex")) });
    Annotations.fromStack(stack).hasError(
      "/Fleetwright/Worker",
      Match.stringLikeRegexp("is not a Linux program.*Deploy from Linux on x86_64"),
    );
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    // The template is written nevertheless, because the local cloud uses its own Node.
    expect(() => app.synth()).not.toThrow();
  });

  test("a file's ELF header shows whether it is a Linux program for x86_64", () => {
    const arm = Buffer.from(linuxProgram);
    arm.writeUInt16LE(183, 18);
    expect(notLinuxX64(aFile(linuxProgram))).toBeUndefined();
    expect(notLinuxX64(aFile(arm))).toBe("is for another processor");
    expect(notLinuxX64(aFile(Buffer.alloc(0)))).toBe("is not a Linux program");
  });
});

function aFile(content: Buffer): string {
  const file = join(mkdtempSync(join(tmpdir(), "fleetwright-node-")), "node");
  writeFileSync(file, content);
  return file;
}
