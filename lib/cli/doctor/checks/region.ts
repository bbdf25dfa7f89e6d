import { regionProblem } from "../../../model/values/region.ts";
import { anError, type Finding } from "../findings/finding.ts";

/** Checks that a region is set and that the stack can be deployed there. `region`: undefined if none is set. */
export function regionFindings(region: string | undefined): readonly Finding[] {
  if (region === undefined || region === "")
    return [anError("region.unset", "no region is set", "export AWS_REGION=REGION, for example us-east-1")];
  const problem = regionProblem(region);
  return problem === undefined ? [] : [anError("region.unsupported", problem, "export AWS_REGION=REGION, with a commercial region")];
}
