import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Aws } from "aws-cdk-lib";
import {
  BlockDeviceVolume,
  CfnLaunchTemplate,
  EbsDeviceVolumeType,
  InstanceInitiatedShutdownBehavior,
  type ISecurityGroup,
  LaunchTemplate,
  MachineImage,
  UserData,
} from "aws-cdk-lib/aws-ec2";
import { type IInstanceProfile, InstanceProfile, type IRole } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { Construct } from "constructs";
import { root } from "../bundles/root.ts";
import type { Configuration, PoolConfiguration } from "../configuration/configuration.ts";

/** The SSM parameter of AWS's deep-learning image: Amazon Linux 2023 with NVIDIA's driver and toolkit. EC2 reads it at each launch. */
export const imageParameter = (architecture: PoolConfiguration["architecture"]): string =>
  `/aws/service/deeplearning/ami/${architecture}/base-oss-nvidia-driver-gpu-amazon-linux-2023/latest/ami-id`;

export type LaunchTemplatesProps = {
  readonly configuration: Configuration;
  readonly role: IRole;
  readonly securityGroup: ISecurityGroup;
  /** The `node` function's URL. */
  readonly nodeUrl: string;
};

/** One launch template per pool, with what all nodes of the pool have in common. */
export class LaunchTemplates extends Construct {
  readonly byPool: ReadonlyMap<string, LaunchTemplate>;

  constructor(scope: Construct, id: string, props: LaunchTemplatesProps) {
    super(scope, id);
    const instanceProfile = new InstanceProfile(this, "Profile", { role: props.role });
    const { name: fleet, volumeKeyArn } = props.configuration;
    const volumeKey = volumeKeyArn === undefined ? undefined : Key.fromKeyArn(this, "VolumeKey", volumeKeyArn);
    this.byPool = new Map(
      props.configuration.pools.map((pool) => {
        const template = new LaunchTemplate(this, `Pool-${pool.name}`, {
          machineImage: MachineImage.resolveSsmParameterAtLaunch(imageParameter(pool.architecture)),
          userData: UserData.custom(bootScript(pool.name, props.nodeUrl)),
          instanceProfile: instanceProfile as IInstanceProfile,
          securityGroup: props.securityGroup,
          requireImdsv2: true,
          // Containers cannot reach the metadata service, because they are one hop further away than the host.
          httpPutResponseHopLimit: 1,
          // Anyone on the node could read them, and nothing of ours does.
          instanceMetadataTags: false,
          instanceInitiatedShutdownBehavior: InstanceInitiatedShutdownBehavior.TERMINATE,
          blockDevices: [
            {
              deviceName: "/dev/xvda",
              volume: BlockDeviceVolume.ebs(pool.volumeGiB, {
                volumeType: EbsDeviceVolumeType.GP3,
                encrypted: true,
                deleteOnTermination: true,
                ...(volumeKey && { kmsKey: volumeKey }),
              }),
            },
          ],
        });
        tagOnce(template, { fleet, pool: pool.name });
        return [pool.name, template];
      }),
    );
  }
}

/**
 * Tags what a template launches. Instances get the fleet's and the pool's name from the request that launches them, and EC2 may refuse a tag
 * that both the request and the template set. Volumes get no tags from the request.
 */
function tagOnce(template: LaunchTemplate, { fleet, pool }: { readonly fleet: string; readonly pool: string }): void {
  const resource = template.node.defaultChild;
  if (!(resource instanceof CfnLaunchTemplate)) throw new Error(`${template.node.path} is not a launch template of this stack`);
  const all = { Name: `${fleet}-${pool}`, "fleetwright:name": fleet, "fleetwright:pool": pool };
  const tags = (of: Record<string, string>) => Object.entries(of).map(([key, value]) => ({ Key: key, Value: value }));
  resource.addPropertyOverride("LaunchTemplateData.TagSpecifications", [
    { ResourceType: "instance", Tags: tags({ Name: all.Name }) },
    { ResourceType: "volume", Tags: tags(all) },
  ]);
}

/** Returns three lines that say where the node belongs, followed by the boot script. The local cloud reads the three lines. */
const bootScript = (pool: string, nodeUrl: string): string =>
  [
    "#!/bin/bash",
    `export FLEETWRIGHT_NODE_URL='${nodeUrl}'`,
    `export FLEETWRIGHT_POOL='${pool}'`,
    `export AWS_REGION='${Aws.REGION}'`,
    readFileSync(join(root, "cdk", "boot.sh"), "utf8"),
  ].join("\n");
