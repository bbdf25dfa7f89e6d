import * as z from "zod";
import { documentedLimits, type RequestKind, type RequestLimits } from "../model/requests/request-limits.ts";

const burst = z.int().min(1, "must be 1 or more: nothing could ever be asked");
const perSecond = z.number().positive("must be above 0: what is used up would never come back").max(10_000);

const kind = (name: RequestKind) => {
  const documented = documentedLimits[name];
  const instances = z
    .strictObject({ burst, perSecond })
    .optional()
    .describe("How many instances such requests may be about in all: at once, and for each second after that");
  return z
    .strictObject({
      burst: burst.default(documented.burst).describe("Requests at once, when none was made for a while"),
      perSecond: perSecond.default(documented.perSecond).describe("Requests for each second after that"),
      instances: documented.instances === undefined ? instances : instances.default(documented.instances),
    })
    .prefault({});
};

/** How fast EC2 may be asked; what is left out is as EC2 documents it for an account that never asked for more. */
export const Ec2Requests = z
  .strictObject({ launch: kind("launch"), terminate: kind("terminate"), describe: kind("describe") })
  .prefault({}) satisfies z.ZodType<RequestLimits>;
