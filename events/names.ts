import * as z from "zod";

export const TeamName = z.string().regex(/^[a-z][a-z0-9-]{0,29}$/, "a team is 1 to 30 of a-z, 0-9 and -, starting with a letter");
export const PoolName = z.string().regex(/^[a-z][a-z0-9-]{0,29}$/, "a pool is 1 to 30 of a-z, 0-9 and -, starting with a letter");
export const DatasetName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "a dataset is 1 to 63 of a-z, 0-9 and -, starting with a letter or digit");
export const JobId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, "an id is 1 to 100 of A-Z, a-z, 0-9, '.', '_' and '-', and starts with a letter or digit");
