import * as z from "zod";
import { documentedLimits, type RequestKind, type RequestLimits } from "../model/requests/request-limits.ts";

const burst = z.int().min(1, "must be 1 or more, because otherwise no request could ever be made");
const perSecond = z.number().positive("must be above 0, because otherwise used requests would never be refilled").max(10_000);

const kind = (name: RequestKind) => {
  const documented = documentedLimits[name];
  const instances = z
    .strictObject({ burst, perSecond })
    .optional()
    .describe("How many instances these requests may name in total: at once, and per second after that");
  return z
    .strictObject({
      burst: burst.default(documented.burst).describe("Requests at once, if none was made for a while"),
      perSecond: perSecond.default(documented.perSecond).describe("Requests per second after that"),
      instances: documented.instances === undefined ? instances : instances.default(documented.instances),
    })
    .prefault({});
};

/** How fast EC2 may be called. The defaults are EC2's documented limits for an account that never requested more. */
export const Ec2Requests = z
  .strictObject({ launch: kind("launch"), terminate: kind("terminate"), describe: kind("describe") })
  .prefault({}) satisfies z.ZodType<RequestLimits>;
