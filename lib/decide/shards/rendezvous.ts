/** A node that takes part in a deal, and its weight. */
export type Weighted = { readonly node: string /** More than 0. */; readonly weight: number };

/**
 * Deals keys out by weighted rendezvous hashing: each key goes to the node with the highest -w / ln(h), where h in (0, 1)
 * is a hash of the key and the node. A key's score for one node does not depend on the other nodes. So if a node leaves, only its own
 * keys move, and a node that joins takes only the keys that it wins. Each node gets its weight's share of the keys.
 *
 * Rendezvous hashing: D. Thaler, C. Ravishankar, "Using name-based mappings to increase hit rates", IEEE/ACM
 * Transactions on Networking 6(1), 1998. The weighted score: C. Schindelhauer, G. Schomaker, "Weighted distributed hash
 * tables", SPAA 2005 (its logarithmic method).
 *
 * Returns the holder of each key, in the keys' order; all are undefined if there is no node.
 */
export function deal(keys: readonly string[], nodes: readonly Weighted[]): (string | undefined)[] {
  const ordered = nodes.map((each) => ({ ...each, seed: hash(each.node) })).sort((a, b) => (a.node < b.node ? -1 : 1));
  return keys.map((key) => {
    const { high, low } = hash(key);
    let best: string | undefined;
    let bestScore = 0;
    for (const { node, weight, seed } of ordered) {
      const score = -weight / Math.log(unit(high ^ seed.high, low ^ seed.low));
      // If two scores are equal, which is next to impossible, the first node in order gets the key.
      if (score > bestScore) {
        best = node;
        bestScore = score;
      }
    }
    return best;
  });
}

type Hash = { readonly high: number; readonly low: number };

/** FNV-1a over UTF-16 units, twice with different seeds, and mixed: 64 bits that must be the same on every machine and in every release. */
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

/** The finalizer of MurmurHash3 (A. Appleby, public domain): each input bit changes half of the output bits. */
function mix(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** Returns a number in (0, 1) from two words, with 53 bits; never 0 or 1, because their logarithms cannot be used. */
function unit(high: number, low: number): number {
  const first = mix(high);
  const second = mix(low ^ first);
  return (mix(first ^ second) * 0x200000 + (second >>> 11) + 0.5) / 0x20000000000000;
}
