/** UTC days and calendar months, by which AWS bills and which have no daylight saving time. Times are ms since the epoch. */
export type Period = "day" | "month";

const dayMs = 86_400_000;
const hourMs = 3_600_000;
/** EC2 bills by the second, but at least one minute: https://aws.amazon.com/ec2/pricing/on-demand/ */
const minBilledMs = 60_000;

/** Returns a name such as "2026-11-23" or "2026-11". */
export const periodName = (period: Period, atMs: number): string => new Date(atMs).toISOString().slice(0, period === "day" ? 10 : 7);

/** Returns a name such as "2026-11-23 09:05 UTC". */
export const minuteName = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 16).replace("T", " ")} UTC`;

const monthStart = (atMs: number, ahead: number): number => {
  const at = new Date(atMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + ahead, 1);
};
export const startOf = (period: Period, atMs: number): number =>
  period === "day" ? Math.floor(atMs / dayMs) * dayMs : monthStart(atMs, 0);
/** Returns the start of the next period, which is always after `atMs`. */
export const nextStart = (period: Period, atMs: number): number => (period === "day" ? startOf("day", atMs) + dayMs : monthStart(atMs, 1));

/** The time from an instance's launch to its end, at the price at which it was launched. */
export type Life = { readonly usdPerHour: number; readonly fromMs: number; readonly toMs: number };

/** Returns the part of a life's cost in the period that contains `atMs`, in whole micro-dollars. All parts add up to the life's cost. */
export const costIn = (life: Life, period: Period, atMs: number): number =>
  costUntil(life, nextStart(period, atMs)) - costUntil(life, startOf(period, atMs));

/** Returns a life's cost by UTC day, in whole micro-dollars, without days that cost nothing. */
export function costByDay(life: Life): ReadonlyMap<string, number> {
  const days = new Map<string, number>();
  for (let atMs = life.fromMs; atMs < billedUntil(life); atMs = nextStart("day", atMs)) {
    const microUsd = costIn(life, "day", atMs);
    if (microUsd > 0) days.set(periodName("day", atMs), microUsd);
  }
  return days;
}

function costUntil(life: Life, untilMs: number): number {
  const billedMs = Math.max(0, Math.min(untilMs, billedUntil(life)) - life.fromMs);
  return Math.round((life.usdPerHour * 1e6 * billedMs) / hourMs);
}

const billedUntil = ({ fromMs, toMs }: Life): number => fromMs + Math.max(minBilledMs, Math.ceil((toMs - fromMs) / 1000) * 1000);
