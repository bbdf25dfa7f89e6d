import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import { callSite, isAt, reachedFrom, type Site } from "./sites.ts";

/** A handler's end that waits for it: at a call to a port. */
export type Doom = {
  readonly when: "before" | "after";
  /** It has come: that goes on record. */
  readonly met: () => void;
};

type Pending = { readonly site: Site; readonly when: Doom["when"] };

/** As many are drawn for a run, half of them on the paths that launch and terminate. */
const most = 12;

/**
 * The ends that handlers meet in a run: each is armed at some moment, and met by whoever makes that very call next.
 * Drawn over the sites, not over the calls: where handlers seldom come they are killed as often as where they always are.
 */
export class Dooms {
  /** `NAME before`, `NAME after`: the sites at which a handler has died. */
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
      // Half of them from the beginning: what happens only then shall be met too.
      const ms = chance.happens(0.5) ? 0 : chance.between(0, spanMs);
      if (faults.draws("lambda.kill")) at(ms, () => this.#arm({ site, when }));
    }
  }

  /** The one that this call meets, if any. To be asked in the turn in which the flow makes the call. */
  take(point: string): Doom | undefined {
    const pending = this.#pending.get(point);
    if (!pending || pending.length === 0) return undefined;
    const where = callSite();
    const at = pending.findIndex(({ site }) => isAt(site, where));
    const [next] = at < 0 ? [] : pending.splice(at, 1);
    return next && { when: next.when, met: () => void this.hit.add(`${next.site.name} ${next.when}`) };
  }

  #arm(doom: Pending): void {
    const { point } = doom.site;
    this.#pending.set(point, [...(this.#pending.get(point) ?? []), doom]);
  }
}
