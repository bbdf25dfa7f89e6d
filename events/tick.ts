import * as z from "zod";

/** The event that the schedule sends once a minute. */
export const Tick = z.strictObject({ tick: z.literal("minute") });
export type Tick = z.infer<typeof Tick>;
