import { DescribeImagesCommand } from "@aws-sdk/client-ec2";
import { GetParameterCommand, ParameterNotFound } from "@aws-sdk/client-ssm";
import { Fault } from "../../model/fault.ts";
import type { Clients } from "./world.ts";

/**
 * The image that a public parameter names, where moto knows it; else any public image: a node here is a process, and
 * boots from none.
 */
export async function imageOf(parameter: string, clients: Clients): Promise<string> {
  const known = await clients.ssm.send(new GetParameterCommand({ Name: parameter })).catch((error: unknown) => {
    if (error instanceof ParameterNotFound) return undefined;
    throw error;
  });
  if (known?.Parameter?.Value?.startsWith("ami-")) return known.Parameter.Value;
  const { Images = [] } = await clients.ec2.send(
    // Of its thousands of images: to answer with all of them takes it a second.
    new DescribeImagesCommand({
      Filters: [
        { Name: "name", Values: ["amzn2-ami-hvm-*"] },
        { Name: "architecture", Values: ["x86_64"] },
      ],
    }),
  );
  const names = Images.flatMap((image) => image.ImageId ?? []);
  const [first] = names.sort();
  if (first === undefined) throw new Fault("template", "The emulator has no public image to launch from");
  return first;
}
