import type { Cause } from "../../model/cause.ts";
import type { Ports } from "../../ports/ports.ts";

export type Ringing = Pick<Ports, "bell" | "lane">;

/**
 * Rings a pool's bell after a fact was committed. A lane message is sent only if the pool was quiet, because otherwise the first
 * ring has sent one, and the decision under way reads the bell again before it ends.
 */
export async function ring({ bell, lane }: Ringing, pool: string, cause: Cause): Promise<void> {
  const { wasQuiet } = await bell.ring(pool, cause);
  if (wasQuiet) await lane.send(pool);
}
