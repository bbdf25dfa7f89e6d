/** Formats a duration for people: `850 ms`, `12 s`, `3 min 5 s`, `2 h 4 min`, `3 d 2 h`. A negative one (clock skew) counts as zero. */
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

/** Formats a time in UTC, to the second. */
export const moment = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** Formats a time that may lie ahead, and how far, or how long ago it was. */
export function when(ms: number, nowMs: number): string {
  const away = ms > nowMs ? `in ${duration(ms - nowMs)}` : `${duration(nowMs - ms)} ago`;
  return `${moment(ms)}, ${away}`;
}

/**
 * Formats a time that has passed, and how long ago it was. It may seem to lie ahead, because it may have been set after `nowMs` was read, or by
 * another clock.
 */
export const past = (ms: number, nowMs: number): string =>
  `${moment(ms)}, ${nowMs - ms < 1_000 ? "just now" : `${duration(nowMs - ms)} ago`}`;

const unitSeconds = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;
const isUnit = (text: string): text is keyof typeof unitSeconds => text in unitSeconds;

/** Parses a duration such as `90s`, `45m`, `2h`, `1h30m` or `3d` into whole seconds; a plain number means seconds. Undefined if invalid. */
export function secondsOf(text: string): number | undefined {
  if (!/^(\d+|(\d+(\.\d+)?[smhd])+)$/.test(text)) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  const parts = [...text.matchAll(/([\d.]+)([smhd])/g)];
  return Math.round(parts.reduce((sum, [, number, unit = ""]) => sum + Number(number) * (isUnit(unit) ? unitSeconds[unit] : 0), 0));
}
