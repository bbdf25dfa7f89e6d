import { bareCommandLine } from "../../invocation/invocation.ts";
import { aWarning, type Finding } from "../findings/finding.ts";

/** Checks that the configuration is of the deployment that was looked for, because the other one may exist. */
export function configurationFindings(configured: string, sought: string): readonly Finding[] {
  if (configured === sought) return [];
  return [
    aWarning(
      "configuration.name",
      `the configuration is of the deployment ${configured}, and ${sought} was looked for`,
      bareCommandLine("doctor", "--name", configured),
    ),
  ];
}
