import { execFileSync } from "node:child_process";
import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import fleetConfig from "../../cdk/fleet.config.ts";
import { fleetRequest } from "../../lib/aws/ec2/fleet-request.ts";
import { aLaunch } from "../fakes/builders.ts";
import { named, Synthesized, textOf } from "./synthesized.ts";

const stack = new Synthesized({
  ...fleetConfig,
  zones: 2,
  pools: fleetConfig.pools.flatMap((pool) => [pool, { ...pool, name: "big", volumeGiB: 500 }]),
});
const LaunchTemplate = z.object({ LaunchTemplateData: z.object({ UserData: z.object({ "Fn::Base64": z.unknown() }) }) });
const userData = stack
  .all("AWS::EC2::LaunchTemplate")
  .map(({ properties }) => LaunchTemplate.parse(properties).LaunchTemplateData.UserData["Fn::Base64"]);

describe("nodes", () => {
  test("nodes run in the first zones of the region, or in those that the configuration names", () => {
    const zonesOf = (of: Synthesized) => of.all("AWS::EC2::Subnet").map(({ properties }) => properties["AvailabilityZone"]);
    expect(zonesOf(stack)).toEqual([0, 1].map((index) => ({ "Fn::Select": [index, { "Fn::GetAZs": { Ref: "AWS::Region" } }] })));
    const zones = ["us-west-2d", "us-west-2a"];
    expect(zonesOf(new Synthesized({ ...fleetConfig, zones }))).toEqual(zones);
  });

  test("each pool's launch template requires metadata tokens, one hop, an encrypted disk and termination on shutdown", () => {
    stack.template.resourceCountIs("AWS::EC2::LaunchTemplate", 2);
    stack.template.allResourcesProperties("AWS::EC2::LaunchTemplate", {
      LaunchTemplateData: {
        ImageId: Match.stringLikeRegexp("^resolve:ssm:/aws/service/deeplearning/ami/x86_64/"),
        MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 1, InstanceMetadataTags: "disabled" },
        InstanceInitiatedShutdownBehavior: "terminate",
        BlockDeviceMappings: [
          Match.objectLike({ Ebs: Match.objectLike({ Encrypted: true, VolumeType: "gp3", DeleteOnTermination: true }) }),
        ],
        KeyName: Match.absent(),
      },
    });
  });

  test("volumes carry the tags of their fleet and pool, and no tag of an instance is set by its template and by its launch", () => {
    for (const name of ["gpu", "big"]) {
      const ofVolume = [
        { Key: "Name", Value: `fleetwright-${name}` },
        { Key: "fleetwright:name", Value: "fleetwright" },
        { Key: "fleetwright:pool", Value: name },
      ];
      stack.template.hasResourceProperties("AWS::EC2::LaunchTemplate", {
        LaunchTemplateData: {
          TagSpecifications: [
            { ResourceType: "instance", Tags: ofVolume.slice(0, 1) },
            { ResourceType: "volume", Tags: ofVolume },
          ],
        },
      });
    }
    const settings = { name: "fleetwright", template: "lt-1", subnets: [{ zone: "us-east-1a", subnet: "subnet-1" }] };
    const atLaunch = fleetRequest(aLaunch(), settings)?.TagSpecifications?.flatMap(({ Tags = [] }) => Tags) ?? [];
    expect(atLaunch.map(({ Key }) => Key)).toEqual(expect.arrayContaining(["fleetwright:name", "fleetwright:pool"]));
    expect(atLaunch.map(({ Key }) => Key)).not.toContain("Name");
  });

  test("a key that the admin names encrypts nodes' volumes, and place may use it through EC2 only", () => {
    const volumeKeyArn = "arn:aws:kms:eu-west-1:123456789012:key/1b2c3d4e-0000-4000-8000-000000000000";
    const own = new Synthesized({ ...fleetConfig, volumeKeyArn });
    own.template.hasResourceProperties("AWS::EC2::LaunchTemplate", {
      LaunchTemplateData: { BlockDeviceMappings: [Match.objectLike({ Ebs: Match.objectLike({ KmsKeyId: volumeKeyArn }) })] },
    });
    const uses = own.statements().filter(({ statement }) => JSON.stringify(statement.Resource ?? []).includes(volumeKeyArn));
    expect(uses.map(({ statement }) => statement.Sid)).toEqual(["UseVolumeKey", "LendVolumeKey"]);
    for (const { statement } of uses) expect(textOf(statement.Condition?.["StringEquals"]?.["kms:ViaService"])).toMatch(/^ec2\./);
    expect(uses.find(({ statement }) => statement.Action.includes("kms:CreateGrant"))?.statement.Condition).toMatchObject({
      Bool: { "kms:GrantIsForAWSResource": "true" },
    });
    expect(JSON.stringify(stack.statements())).not.toContain("VolumeKey");
  });

  test("nodes accept nothing from outside and may reach it by HTTPS only", () => {
    const [group, ...others] = stack.all("AWS::EC2::SecurityGroup");
    expect(others).toEqual([]);
    expect(group?.properties["SecurityGroupIngress"]).toBeUndefined();
    expect(group?.properties["SecurityGroupEgress"]).toEqual([
      { CidrIp: "0.0.0.0/0", Description: "HTTPS", FromPort: 443, ToPort: 443, IpProtocol: "tcp" },
    ]);
    const id = { "Fn::GetAtt": [group?.id, "GroupId"] };
    const gangs = { Description: "Members of a gang", FromPort: 0, ToPort: 65535, IpProtocol: "tcp", GroupId: id };
    const rules = ["AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"].flatMap((type) => stack.all(type));
    expect(rules.map((rule) => rule.properties)).toEqual([
      { ...gangs, SourceSecurityGroupId: id },
      { ...gangs, DestinationSecurityGroupId: id },
    ]);
    for (const template of stack.all("AWS::EC2::LaunchTemplate"))
      expect(JSON.stringify(template.properties)).toContain(JSON.stringify({ "Fn::GetAtt": [group?.id, "GroupId"] }));
  });

  test("the network costs nothing while idle: one public subnet per zone, and a gateway endpoint for S3 instead of NAT", () => {
    stack.template.resourceCountIs("AWS::EC2::Subnet", 2);
    stack.template.resourceCountIs("AWS::EC2::NatGateway", 0);
    stack.template.allResourcesProperties("AWS::EC2::VPCEndpoint", { VpcEndpointType: "Gateway" });
    stack.template.resourceCountIs("AWS::EC2::VPCEndpoint", 1);
  });

  test("place gets every subnet with its zone in its environment", () => {
    const text = JSON.stringify(stack.functionNamed("place").properties["Environment"]);
    for (const { id } of stack.all("AWS::EC2::Subnet")) expect(text).toContain(`{"Ref":"${id}"}`);
  });

  test("the boot script begins with one line each for the node URL, the pool and the region", () => {
    expect(userData).toHaveLength(2);
    for (const script of userData)
      expect(textOf(script).split("\n").slice(0, 4)).toEqual([
        "#!/bin/bash",
        "export FLEETWRIGHT_NODE_URL='…'",
        expect.stringMatching(/^export FLEETWRIGHT_POOL='(gpu|big)'$/),
        "export AWS_REGION='…'",
      ]);
    expect(named(z.object({ "Fn::Join": z.tuple([z.string(), z.array(z.unknown())]) }).parse(userData[0])["Fn::Join"][1][1])).toBe(
      stack.all("AWS::Lambda::Url")[0]?.id,
    );
  });

  test("the boot script is valid bash and small enough for EC2's user data", () => {
    const script = textOf(userData[0]);
    expect(() => execFileSync("bash", ["-n"], { input: script, timeout: 10_000 })).not.toThrow();
    expect(Buffer.byteLength(script)).toBeLessThan(16 * 1024);
  });
});
