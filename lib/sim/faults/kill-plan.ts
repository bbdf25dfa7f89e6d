import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import { callSite, isAt, reachedFrom, type Site } from "./sites.ts";

/** The kill of a handler, before or after a call to a port. */
export type ArmedKill = {
  readonly when: "before" | "after";
  /** Records that the handler has died of it. */
  readonly met: () => void;
};

type Pending = { readonly site: Site; readonly when: ArmedKill["when"] };

/** The number drawn per run. Half of them are on the paths that launch and terminate. */
const most = 12;

/**
 * The kills of handlers in a run. Each is armed at some time and kills the next handler that makes that call. They are drawn over sites,
 * not over calls, so that handlers die as often at rarely reached calls as at frequent ones.
 */
export class KillPlan {
  /** The points at which a handler has died: `NAME before`, `NAME after`. */
  readonly hit = new Set<string>();
  readonly #pending = new Map<string, Pending[]>();

  constructor(
    of: { readonly sites: readonly Site[]; readonly chance: Chance; readonly faults: Faults; readonly spanMs: number },
    at: (ms: number, arm: () => void) => void,
  ) {
    const { sites, chance, faults, spanMs } = of;
    const launching = reachedFrom("place.ts");
    const some = sites.filter(({ file }) => launching.has(file));
    for (let n = 0; n < most && some.length > 0; n += 1) {
      const site = chance.pick(n % 2 === 0 ? some : sites);
      const when = chance.pick(["before", "after"] as const);
      // Half of them are armed from the start, because some calls happen only then.
      const ms = chance.happens(0.5) ? 0 : chance.between(0, spanMs);
      if (faults.draws("lambda.kill")) at(ms, () => this.#arm({ site, when }));
    }
  }

  /** Removes and returns the kill armed for this call, if any. It must be called synchronously from the flow's call, because it reads the stack. */
  takeAt(point: string): ArmedKill | undefined {
    const pending = this.#pending.get(point);
    if (!pending || pending.length === 0) return undefined;
    const where = callSite();
    const at = pending.findIndex(({ site }) => isAt(site, where));
    const [next] = at < 0 ? [] : pending.splice(at, 1);
    return next && { when: next.when, met: () => void this.hit.add(`${next.site.name} ${next.when}`) };
  }

  #arm(kill: Pending): void {
    const { point } = kill.site;
    this.#pending.set(point, [...(this.#pending.get(point) ?? []), kill]);
  }
}
