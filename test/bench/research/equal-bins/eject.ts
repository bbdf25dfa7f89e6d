import type { Random } from "../../../../lib/optimizer/engines/random.ts";
import type { Bins } from "./bins.ts";

/** About how many pairs are tried in a bin with many items. The others are left out at random. */
const maxPairs = 60;
/** The number of random moves between two insertions. */
const shakes = 6;

/**
 * Empties one bin into the others, one item at a time. An item that fits nowhere takes the place of one or two others that have been the
 * least trouble so far, which then wait instead. Each time an item fits nowhere, its trouble increases. The idea is from Y. Nagata and
 * O. Bräysy, "A powerful route minimization heuristic for the vehicle routing problem with time windows", 2009, with bins for routes.
 *
 * Returns true if nothing waits any more. Returns false if `more` returned false. In that case `bins` lack the items that wait.
 */
export function emptyInto(bins: Bins, waiting: number[], { random, more }: { random: Random; more: () => boolean }): boolean {
  const trouble = new Float64Array(bins.items.count).fill(1);
  while (waiting.length > 0) {
    if (!more()) return false;
    const item = waiting.pop() as number;
    const bin = anyThatHolds(item, { bins, random });
    if (bin >= 0) {
      bins.put(item, bin);
      continue;
    }
    trouble[item] = (trouble[item] as number) + 1;
    const swap = leastTrouble(item, { bins, trouble, random });
    if (!swap) return false;
    for (const out of [swap.first, swap.second]) {
      if (out < 0) continue;
      bins.takeOut(out, swap.bin);
      waiting.push(out);
    }
    bins.put(item, swap.bin);
    shake(bins, random);
  }
  return true;
}

type Searched = { readonly bins: Bins; readonly random: Random };

/** Returns the first bin that holds the item, starting from a random one, or -1 if there is none. */
function anyThatHolds(item: number, { bins, random }: Searched): number {
  const count = bins.contents.length;
  const from = Math.floor(random() * count);
  for (let nth = 0; nth < count; nth += 1) if (bins.holds(item, (from + nth) % count)) return (from + nth) % count;
  return -1;
}

/** Items of a bin to take out. `second` is -1 if one makes enough room. */
type Swap = { readonly bin: number; readonly first: number; readonly second: number };

function leastTrouble(item: number, { bins, trouble, random }: Searched & { trouble: Float64Array }): Swap | undefined {
  let best: Swap | undefined;
  let least = Number.POSITIVE_INFINITY;
  let alike = 0;
  const consider = (swap: Swap, cost: number): void => {
    if (cost > least || !bins.holds(item, swap.bin, swap)) return;
    alike = cost < least ? 1 : alike + 1;
    // Equally good swaps have the same chance.
    if (alike > 1 && random() * alike >= 1) return;
    best = swap;
    least = cost;
  };
  bins.contents.forEach((contents, bin) => {
    for (const first of contents) consider({ bin, first, second: -1 }, trouble[first] as number);
    const chance = (2 * maxPairs) / (contents.length * (contents.length - 1));
    for (let a = 0; a < contents.length; a += 1) {
      const first = contents[a] as number;
      for (let b = a + 1; b < contents.length; b += 1) {
        const second = contents[b] as number;
        const cost = (trouble[first] as number) + (trouble[second] as number);
        if (cost <= least && (chance >= 1 || random() < chance)) consider({ bin, first, second }, cost);
      }
    }
  });
  return best;
}

/** Moves a few random items to other bins, or swaps them with items there, if both bins still hold their items. */
function shake(bins: Bins, random: Random): void {
  const any = (of: number): number => Math.floor(random() * of);
  for (let nth = 0; nth < shakes; nth += 1) {
    const [from, to] = [any(bins.contents.length), any(bins.contents.length)];
    const theirs = bins.contents[to] as number[];
    const ours = bins.contents[from] as number[];
    const item = ours[any(ours.length)];
    if (from === to || item === undefined) continue;
    const other = theirs[any(theirs.length + 1)] ?? -1;
    const swapped = { first: other, second: -1 };
    if (!bins.holds(item, to, swapped)) continue;
    if (other >= 0 && !bins.holds(other, from, { first: item, second: -1 })) continue;
    bins.takeOut(item, from);
    if (other >= 0) {
      bins.takeOut(other, to);
      bins.put(other, from);
    }
    bins.put(item, to);
  }
}
