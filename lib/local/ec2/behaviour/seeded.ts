/** Returns a number in [0, 1) that depends only on the seed and the key (FNV-1a, then the finalizer of MurmurHash3). */
export function fraction(seed: number, key: string): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Returns a generator of numbers in [0, 1). The same seed gives the same numbers. */
export function generator(seed: number): () => number {
  let drawn = 0;
  return () => fraction(seed, `draw-${drawn++}`);
}

/** Returns a time within the bounds. */
export const between = ({ min, max }: { readonly min: number; readonly max: number }, draw: () => number): number =>
  min + draw() * (max - min);
