/** Returns why the stack cannot be deployed to a region, or undefined if it can, or if the region is not known yet. */
export const regionProblem = (region: string | undefined): string | undefined =>
  /^(cn|us-gov|us-iso[a-z]*|eu-isoe)-/.test(region ?? "")
    ? `Fleetwright cannot be deployed to ${region}: workers and users call Lambda function URLs, which GovCloud, the regions of China and isolated regions do not have`
    : undefined;
