import { dollars as inWords } from "../../model/values/amount.ts";

const units = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;

/** Formats a size for people: `512 bytes`, `1.5 MiB`. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  if (unit === 0) return `${count} ${count === 1 ? "byte" : "bytes"}`;
  return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} ${units[unit]}`;
}

/** Formats a price: `$0.526/h`, `$16.29/h`. */
export const hourly = (usdPerHour: number): string => `${inWords(usdPerHour)}/h`;
/** Formats an amount of money: `$1234.50`. */
export const dollars = (usd: number): string => `$${usd.toFixed(2)}`;
/** Formats a number with its thousands: `1,234`. */
export const rounded = (n: number): string => Math.round(n).toLocaleString("en-US");
/** Joins names: `a or b or c`; if there are more than four, `a or b or c or 5 more`. */
export function anyOf(names: readonly string[]): string {
  const shown = names.length > 4 ? [...names.slice(0, 3), `${names.length - 3} more`] : names;
  return shown.join(" or ");
}
/** Formats a count: `1 node`, `2 nodes`, `no nodes`. */
export const count = (n: number, noun: string): string => `${n === 0 ? "no" : n} ${noun}${n === 1 ? "" : "s"}`;
