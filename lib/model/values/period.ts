/** UTC days and calendar months, by which AWS bills; they know no daylight saving. Times are ms since the epoch. */
export type Period = "day" | "month";

const dayMs = 86_400_000;
const hourMs = 3_600_000;
/** EC2 bills by the second, and at least this much: https://aws.amazon.com/ec2/pricing/on-demand/ */
const leastBilledMs = 60_000;

/** "2026-11-23", or "2026-11". */
export const periodName = (period: Period, atMs: number): string => new Date(atMs).toISOString().slice(0, period === "day" ? 10 : 7);

const monthStart = (atMs: number, ahead: number): number => {
  const at = new Date(atMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + ahead, 1);
};
export const startOf = (period: Period, atMs: number): number =>
  period === "day" ? Math.floor(atMs / dayMs) * dayMs : monthStart(atMs, 0);
/** Later than `atMs`, always. */
export const nextStart = (period: Period, atMs: number): number => (period === "day" ? startOf("day", atMs) + dayMs : monthStart(atMs, 1));

/** An instance's time, at the price it was launched at. */
export type Life = { readonly usdPerHour: number; readonly fromMs: number; readonly toMs: number };

/** What of a life's cost falls into the period of `atMs`, in whole micro-dollars. The parts of a life add up to the whole. */
export const costIn = (life: Life, period: Period, atMs: number): number =>
  costUntil(life, nextStart(period, atMs)) - costUntil(life, startOf(period, atMs));

/** A life's cost by UTC day, in whole micro-dollars; days that cost nothing are left out. */
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

const billedUntil = ({ fromMs, toMs }: Life): number => fromMs + Math.max(leastBilledMs, Math.ceil((toMs - fromMs) / 1000) * 1000);
