import * as z from "zod";
import type { Deployment } from "../lib/model/deployment.ts";
import { PoolName, TeamName } from "./names.ts";

/** The value of the parameter that the stack writes, as JSON. */
export const StoredDeployment: z.ZodType<Deployment> = z.object({
  name: z.string().min(1),
  table: z.string().min(1),
  jobsQueuePrefix: z.string().min(1),
  incomingBucket: z.string().min(1),
  artifactsBucket: z.string().min(1),
  codeBucket: z.string().min(1),
  decisionsBucket: z.string().min(1),
  datasetsBucket: z.string().min(1),
  keyAliasPrefix: z.string().startsWith("alias/"),
  logGroupPrefix: z.string().min(1),
  apiUrl: z.url(),
  teams: z.array(TeamName),
  pools: z.array(PoolName),
  defaultPool: PoolName,
});

/** Returns the name of a deployment's SSM parameter. */
export const deploymentParameter = (name: string): string => `/fleetwright/${name}/deployment`;
