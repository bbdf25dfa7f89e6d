import { allowedBy, type Trait } from "./match.ts";
import type { Supply } from "./problem.ts";

/**
 * The offers without those that another one makes needless: it costs no more, has no less of anything, takes all the jobs that
 * the other takes, uses no more of any limit, and can be had without end. Cheapest first; of equals the first by name.
 */
export function undominated(offers: readonly Supply[], traits: readonly Trait[], priceOf: (offer: Supply) => number): readonly Supply[] {
  const taking = offers
    .map((offer) => ({ offer, price: priceOf(offer), takes: traits.map((trait) => allowedBy(trait, offer)) }))
    .filter(({ takes }) => takes.includes(true))
    .sort((a, b) => a.price - b.price || bySize(b.offer, a.offer) || (a.offer.name < b.offer.name ? -1 : 1));
  const kept: typeof taking = [];
  for (const each of taking) if (!kept.some((better) => dominates(better, each))) kept.push(each);
  return kept.map(({ offer }) => offer);
}

type Taking = { readonly offer: Supply; readonly takes: readonly boolean[] };

/** Of two in the order of their prices. */
function dominates(better: Taking, other: Taking): boolean {
  const [a, b] = [better.offer, other.offer];
  if (a.most !== undefined) return false;
  for (let index = 0; index < b.capacity.length; index += 1) if ((a.capacity[index] ?? 0) < (b.capacity[index] ?? 0)) return false;
  if ((a.gpu?.count ?? 0) < (b.gpu?.count ?? 0)) return false;
  if (other.takes.some((takes, index) => takes && !better.takes[index])) return false;
  return Object.entries(a.uses ?? {}).every(([limit, uses]) => uses <= (b.uses?.[limit] ?? 0));
}

/** Only that of two offers at one price the one that may dominate comes first. */
const bySize = (a: Supply, b: Supply): number =>
  total(a) - total(b) || a.capacity.reduce((order, each, index) => order || each - (b.capacity[index] ?? 0), 0);
const total = ({ capacity, gpu }: Supply): number => capacity.reduce((sum, each) => sum + each, gpu?.count ?? 0);
