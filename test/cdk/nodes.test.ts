import { execFileSync } from "node:child_process";
import { Match } from "aws-cdk-lib/assertions";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import fleetConfig from "../../cdk/fleet.config.ts";
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
  test("each pool's launch template requires metadata tokens, one hop, an encrypted disk and termination on shutdown", () => {
    stack.template.resourceCountIs("AWS::EC2::LaunchTemplate", 2);
    stack.template.allResourcesProperties("AWS::EC2::LaunchTemplate", {
      LaunchTemplateData: {
        ImageId: Match.stringLikeRegexp("^resolve:ssm:/aws/service/deeplearning/ami/x86_64/"),
        MetadataOptions: { HttpTokens: "required", HttpPutResponseHopLimit: 1, InstanceMetadataTags: "enabled" },
        InstanceInitiatedShutdownBehavior: "terminate",
        BlockDeviceMappings: [
          Match.objectLike({ Ebs: Match.objectLike({ Encrypted: true, VolumeType: "gp3", DeleteOnTermination: true }) }),
        ],
        KeyName: Match.absent(),
      },
    });
  });

  test("instances and volumes carry the tags of their fleet and pool", () => {
    for (const name of ["gpu", "big"])
      stack.template.hasResourceProperties("AWS::EC2::LaunchTemplate", {
        LaunchTemplateData: {
          TagSpecifications: Match.arrayWith(
            ["instance", "volume"].map((ResourceType) =>
              Match.objectLike({
                ResourceType,
                Tags: Match.arrayWith([
                  { Key: "fleetwright:name", Value: "fleetwright" },
                  { Key: "fleetwright:pool", Value: name },
                ]),
              }),
            ),
          ),
        },
      });
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

  test("the network costs nothing while idle: one public subnet per zone, and gateway endpoints instead of NAT", () => {
    stack.template.resourceCountIs("AWS::EC2::Subnet", 2);
    stack.template.resourceCountIs("AWS::EC2::NatGateway", 0);
    stack.template.allResourcesProperties("AWS::EC2::VPCEndpoint", { VpcEndpointType: "Gateway" });
    stack.template.resourceCountIs("AWS::EC2::VPCEndpoint", 2);
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
