/** A duration as people say it: `850 ms`, `12 s`, `3 min 5 s`, `2 h 4 min`, `3 d 2 h`. One below zero comes from clocks that differ, and is none. */
export function duration(exactMs: number): string {
  const ms = Math.max(0, Math.round(exactMs));
  if (ms < 1_000) return `${ms} ms`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return two(seconds, { unit: 60, names: ["min", "s"] });
  if (seconds < 86_400) return two(Math.floor(seconds / 60), { unit: 60, names: ["h", "min"] });
  return two(Math.floor(seconds / 3_600), { unit: 24, names: ["d", "h"] });
}

const two = (of: number, as: { unit: number; names: readonly [string, string] }): string => {
  const rest = of % as.unit;
  return `${Math.floor(of / as.unit)} ${as.names[0]}${rest > 0 ? ` ${rest} ${as.names[1]}` : ""}`;
};

/** A moment in the reader's own time zone, which it names. */
export const moment = (ms: number): string =>
  new Date(ms).toLocaleString("sv-SE", {
    timeZoneName: "short",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
