const minMs = 500;
const maxMs = 5_000;

/** Returns how long to wait after `failures` in a row: full jitter below a ceiling that doubles up to 5 s. `random` is in [0, 1). */
export function backoffMs(failures: number, random: number): number {
  const ceilingMs = Math.min(maxMs, minMs * 2 ** Math.min(failures, 10));
  return minMs + random * (ceilingMs - minMs);
}
