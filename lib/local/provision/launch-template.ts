import { CreateLaunchTemplateCommand, type RequestLaunchTemplateData } from "@aws-sdk/client-ec2";
import * as z from "zod";
import { FleetError } from "../../model/fleet-error.ts";
import { roleArn } from "../requests/identities.ts";
import { imageOf } from "./image.ts";
import { kind } from "./kind.ts";
import { account, type Blueprint, nameOf } from "./world.ts";

const Tagged = z.array(z.strictObject({ ResourceType: z.string(), Tags: z.array(z.strictObject({ Key: z.string(), Value: z.string() })) }));
type ResourceType = NonNullable<NonNullable<RequestLaunchTemplateData["TagSpecifications"]>[number]["ResourceType"]>;
const isResourceType = (type: string): type is ResourceType => /^[a-z-]+$/.test(type);

/** The properties that EC2's API accepts under the same names. The emulator stores them. */
const understood = [
  "BlockDeviceMappings",
  "IamInstanceProfile",
  "ImageId",
  "InstanceInitiatedShutdownBehavior",
  "InstanceType",
  "MetadataOptions",
  "Monitoring",
  "NetworkInterfaces",
  "Placement",
  "SecurityGroupIds",
  "UserData",
];
const Data = z.custom<Omit<RequestLaunchTemplateData, "TagSpecifications">>(
  (value) => typeof value === "object" && value !== null && Object.keys(value).every((name) => understood.includes(name)),
  { error: ({ input }) => `has ${Object.keys(input ?? {}).join(", ")}, but only ${understood.join(", ")} are supported` },
);
const LaunchTemplateData = z.looseObject({ TagSpecifications: Tagged.default([]) });

export const launchTemplate = kind({
  type: "AWS::EC2::LaunchTemplate",
  properties: z.strictObject({ LaunchTemplateName: z.string().optional(), LaunchTemplateData }),
  // The tags of the template itself.
  harmless: ["TagSpecifications"],
  create: async ({ LaunchTemplateName, LaunchTemplateData: { TagSpecifications, ...rest } }, place, { clients, blueprint }) => {
    const parsed = Data.safeParse(rest);
    if (!parsed.success) throw new FleetError("template", `The local cloud does not support ${place.id}: ${z.prettifyError(parsed.error)}`);
    const parameter = /^resolve:ssm:(.+)$/.exec(parsed.data.ImageId ?? "")?.[1];
    const made = await clients.ec2.send(
      new CreateLaunchTemplateCommand({
        LaunchTemplateName: LaunchTemplateName ?? place.name,
        LaunchTemplateData: {
          ...parsed.data,
          ...(parameter !== undefined && { ImageId: await imageOf(parameter, clients) }),
          TagSpecifications: TagSpecifications.flatMap(({ ResourceType, Tags }) =>
            isResourceType(ResourceType) ? [{ ResourceType, Tags }] : [],
          ),
        },
      }),
    );
    const id = made.LaunchTemplate?.LaunchTemplateId ?? "";
    const { IamInstanceProfile: profile, SecurityGroupIds = [], BlockDeviceMappings = [] } = parsed.data;
    blueprint.policies.templates.push({
      id,
      name: LaunchTemplateName ?? place.name,
      roleArn: roleOf(profile?.Arn ?? profile?.Name ?? "", blueprint),
      securityGroups: SecurityGroupIds,
      imageParameter: parameter,
      tags: TagSpecifications.map(({ ResourceType }) => ResourceType),
      volumeKey: BlockDeviceMappings.find(({ Ebs }) => Ebs?.KmsKeyId !== undefined)?.Ebs?.KmsKeyId,
    });
    return { ref: id, attributes: { LaunchTemplateId: id, LatestVersionNumber: "1", DefaultVersionNumber: "1" } };
  },
});

function roleOf(profileNameOrArn: string, { instanceProfiles }: Blueprint): string | undefined {
  const role = instanceProfiles.find(({ name }) => name === nameOf(profileNameOrArn))?.role;
  return role === undefined ? undefined : roleArn(role, account);
}
