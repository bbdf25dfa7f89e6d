/** Who takes part in a deal, and with how much. */
export type Weighted = { readonly node: string /** More than 0. */; readonly weight: number };

/**
 * Deals keys out by weighted rendezvous hashing: each key goes to the node with the highest -w / ln(h), where h in (0, 1)
 * is a hash of the key and the node. A key's scores know nothing of other nodes, so a node that leaves gives up its own
 * keys and no others move, and one that comes takes only what it wins; each gets its weight's share of the keys.
 *
 * Rendezvous hashing: D. Thaler, C. Ravishankar, "Using name-based mappings to increase hit rates", IEEE/ACM
 * Transactions on Networking 6(1), 1998. The weighted score: C. Schindelhauer, G. Schomaker, "Weighted distributed hash
 * tables", SPAA 2005 (its logarithmic method).
 *
 * Answers the holder of each key, in the keys' order; undefined throughout when there is no node.
 */
export function deal(keys: readonly string[], nodes: readonly Weighted[]): (string | undefined)[] {
  const ordered = nodes.map((each) => ({ ...each, seed: hash(each.node) })).sort((a, b) => (a.node < b.node ? -1 : 1));
  return keys.map((key) => {
    const { high, low } = hash(key);
    let best: string | undefined;
    let bestScore = 0;
    for (const { node, weight, seed } of ordered) {
      const score = -weight / Math.log(unit(high ^ seed.high, low ^ seed.low));
      // In order of node: of two that are equal, which is next to impossible, the first has it.
      if (score > bestScore) {
        best = node;
        bestScore = score;
      }
    }
    return best;
  });
}

type Hash = { readonly high: number; readonly low: number };

/** FNV-1a over UTF-16 units, twice with other beginnings, and mixed: 64 bits that are the same on every machine for ever. */
function hash(text: string): Hash {
  let high = 0x811c9dc5;
  let low = 0xcbf29ce4;
  for (let at = 0; at < text.length; at += 1) {
    const unit16 = text.charCodeAt(at);
    high = Math.imul(high ^ unit16, 0x01000193);
    low = Math.imul(low ^ (unit16 + 0x9e37), 0x01000193);
  }
  return { high: mix(high), low: mix(low ^ 0x5bd1e995) };
}

/** The finalizer of MurmurHash3 (A. Appleby, public domain): each bit that comes in changes half of those that go out. */
function mix(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** A number in (0, 1) from two words, with 53 bits; never 0 or 1, whose logarithms are of no use. */
function unit(high: number, low: number): number {
  const first = mix(high);
  const second = mix(low ^ first);
  return (mix(first ^ second) * 0x200000 + (second >>> 11) + 0.5) / 0x20000000000000;
}
