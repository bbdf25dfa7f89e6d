import {
  AuthorizeSecurityGroupEgressCommand,
  CreateSecurityGroupCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
} from "@aws-sdk/client-ec2";
import * as z from "zod";
import { harmlessKind, kind } from "./kind.ts";

export const vpc = kind({
  type: "AWS::EC2::VPC",
  properties: z.strictObject({ CidrBlock: z.string() }),
  harmless: ["EnableDnsHostnames", "EnableDnsSupport", "InstanceTenancy"],
  create: async (properties, _place, { clients }) => {
    const made = await clients.ec2.send(new CreateVpcCommand(properties));
    const id = made.Vpc?.VpcId ?? "";
    return { ref: id, attributes: { VpcId: id, CidrBlock: properties.CidrBlock } };
  },
});

export const subnet = kind({
  type: "AWS::EC2::Subnet",
  properties: z.strictObject({ AvailabilityZone: z.string(), CidrBlock: z.string(), VpcId: z.string() }),
  harmless: ["MapPublicIpOnLaunch"],
  create: async (properties, _place, { clients }) => {
    const made = await clients.ec2.send(new CreateSubnetCommand(properties));
    const id = made.Subnet?.SubnetId ?? "";
    return { ref: id, attributes: { SubnetId: id, AvailabilityZone: properties.AvailabilityZone, CidrBlock: properties.CidrBlock } };
  },
});

const Permission = z.strictObject({
  IpProtocol: z.string(),
  FromPort: z.number().optional(),
  ToPort: z.number().optional(),
  CidrIp: z.string().optional(),
  DestinationSecurityGroupId: z.string().optional(),
  Description: z.string().optional(),
});

export const securityGroup = kind({
  type: "AWS::EC2::SecurityGroup",
  properties: z.strictObject({
    GroupName: z.string().optional(),
    GroupDescription: z.string(),
    VpcId: z.string(),
    SecurityGroupEgress: z.array(Permission).default([]),
  }),
  create: async (properties, place, { clients }) => {
    const { GroupDescription: Description, VpcId } = properties;
    const made = await clients.ec2.send(
      new CreateSecurityGroupCommand({ GroupName: properties.GroupName ?? place.name, Description, VpcId }),
    );
    const GroupId = made.GroupId ?? "";
    const IpPermissions = properties.SecurityGroupEgress.map(({ CidrIp, DestinationSecurityGroupId, Description, ...rule }) => ({
      ...rule,
      ...(CidrIp !== undefined && { IpRanges: [{ CidrIp, Description }] }),
      ...(DestinationSecurityGroupId !== undefined && { UserIdGroupPairs: [{ GroupId: DestinationSecurityGroupId, Description }] }),
    }));
    if (IpPermissions.length > 0) await clients.ec2.send(new AuthorizeSecurityGroupEgressCommand({ GroupId, IpPermissions }));
    return { ref: GroupId, attributes: { GroupId, Id: GroupId, VpcId } };
  },
});

/** Ignored, because nodes are processes of this machine and their packets take other routes. */
export const routing = [
  harmlessKind("AWS::EC2::InternetGateway", []),
  harmlessKind("AWS::EC2::SecurityGroupIngress", ["Description", "FromPort", "GroupId", "IpProtocol", "SourceSecurityGroupId", "ToPort"]),
  harmlessKind("AWS::EC2::SecurityGroupEgress", [
    "Description",
    "DestinationSecurityGroupId",
    "FromPort",
    "GroupId",
    "IpProtocol",
    "ToPort",
  ]),
  harmlessKind("AWS::EC2::VPCGatewayAttachment", ["InternetGatewayId", "VpcId"]),
  harmlessKind("AWS::EC2::RouteTable", ["VpcId"]),
  harmlessKind("AWS::EC2::SubnetRouteTableAssociation", ["RouteTableId", "SubnetId"]),
  harmlessKind("AWS::EC2::Route", ["DestinationCidrBlock", "GatewayId", "NatGatewayId", "RouteTableId"]),
  harmlessKind("AWS::EC2::VPCEndpoint", [
    "PolicyDocument",
    "PrivateDnsEnabled",
    "RouteTableIds",
    "SecurityGroupIds",
    "ServiceName",
    "SubnetIds",
    "VpcEndpointType",
    "VpcId",
  ]),
  harmlessKind("AWS::EC2::FlowLog", ["LogDestination", "LogDestinationType", "ResourceId", "ResourceType", "TrafficType"]),
];
