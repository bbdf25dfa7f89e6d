import { Tick } from "../events/tick.ts";
import { tick } from "../lib/flows/tick.ts";
import { Fault } from "../lib/model/fault.ts";
import { publishPoolNumbers } from "../lib/runtime/pool-metrics.ts";
import { start } from "../lib/runtime/start.ts";
import { tickWiring } from "../lib/runtime/wire/tick.ts";

const started = start("tick");
const deps = tickWiring(started);

/** Once a minute. What failed is tried again by the next one; this one says so by failing. */
export const handler = async (event: unknown): Promise<void> => {
  Tick.parse(event);
  const ticked = await tick(deps);
  started.logger.info("ticked", ticked);
  for (const { pool, ...numbers } of ticked.numbers) publishPoolNumbers({ fleet: started.fleet.name, pool }, numbers);
  if (ticked.errors.length > 0) throw new Fault("tick", ticked.errors.join("\n"), { retry: true });
};
