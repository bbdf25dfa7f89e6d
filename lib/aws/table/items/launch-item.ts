import * as z from "zod";
import type { Launch, LaunchSearch } from "../../../model/launch.ts";
import type { Item } from "../access.ts";
import { type Key, launchKey } from "../keys.ts";
import { StoredOffer, StoredType, stored } from "../stored.ts";

const StoredJobs = z.array(z.object({ team: z.string(), job: z.string() }));

const StoredSearch: z.ZodType<LaunchSearch> = z.object({
  why: z.string(),
  fromMs: z.number(),
  toMs: z.number(),
  came: z.array(z.object({ id: z.string(), instanceType: z.string(), zone: z.string(), over: z.boolean() })).optional(),
  newAtMs: z.number().optional(),
});

const StoredLaunch: z.ZodType<Launch> = z.object({
  id: z.string(),
  pool: z.string(),
  team: z.string().optional(),
  market: z.enum(["spot", "on-demand"]),
  offers: z.array(StoredOffer),
  types: z.array(StoredType),
  jobs: StoredJobs,
  count: z.int().min(1),
  whole: z.boolean(),
  clientToken: z.string(),
  reserved: z.object({ usdPerHour: z.number(), gpus: z.number() }),
  intendedAtMs: z.number(),
  because: z.string(),
  replaces: z.string().optional(),
  search: StoredSearch.optional(),
});

export const launchItem = (launch: Launch): Key & Item => ({ ...launchKey(launch.pool, launch.id), ...launch });
/** Returns the jobs of a launch whose item cannot be read otherwise. */
export const jobsOfLaunch = (item: Item): { readonly jobs?: Launch["jobs"] } => {
  const jobs = StoredJobs.safeParse(item["jobs"]);
  return jobs.success ? { jobs: jobs.data } : {};
};
export const launchOf = (item: Item): Launch => stored(StoredLaunch, item);
