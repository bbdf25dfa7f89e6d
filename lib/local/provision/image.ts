import { DescribeImagesCommand } from "@aws-sdk/client-ec2";
import { GetParameterCommand, ParameterNotFound } from "@aws-sdk/client-ssm";
import { FleetError } from "../../model/fleet-error.ts";
import type { Clients } from "./world.ts";

/**
 * Returns the image that a public parameter names if moto knows it, and otherwise any public image, because a node here is a process
 * that boots from no image.
 */
export async function imageOf(parameter: string, clients: Clients): Promise<string> {
  const known = await clients.ssm.send(new GetParameterCommand({ Name: parameter })).catch((error: unknown) => {
    if (error instanceof ParameterNotFound) return undefined;
    throw error;
  });
  if (known?.Parameter?.Value?.startsWith("ami-")) return known.Parameter.Value;
  const { Images = [] } = await clients.ec2.send(
    // Filtered, because moto needs a second to return all of its thousands of images.
    new DescribeImagesCommand({
      Filters: [
        { Name: "name", Values: ["amzn2-ami-hvm-*"] },
        { Name: "architecture", Values: ["x86_64"] },
      ],
    }),
  );
  const names = Images.flatMap((image) => image.ImageId ?? []);
  const [first] = names.sort();
  if (first === undefined) throw new FleetError("template", "The emulator has no public image to launch from");
  return first;
}
