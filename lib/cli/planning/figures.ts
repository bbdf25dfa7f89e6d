/** Returns how many decimals are useful to a reader: two, or more for small values. */
function digitsOf(value: number): number {
  const size = Math.abs(value);
  if (size === 0 || size >= 10) return 2;
  return Math.min(8, 3 - Math.floor(Math.log10(size)));
}

/** Formats a number: `1,000,000`, `0.0125`. */
export const number = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: digitsOf(value) });

/** Formats dollars: `$111,000,000`, `$31.30`, `$0.526`. */
export function money(usd: number): string {
  if (usd < 0) return `-${money(-usd)}`;
  const maximumFractionDigits = digitsOf(usd);
  const isWhole = Math.round(usd * 10 ** maximumFractionDigits) % 10 ** maximumFractionDigits === 0;
  return `$${usd.toLocaleString("en-US", { maximumFractionDigits, minimumFractionDigits: isWhole ? 0 : 2 })}`;
}

/** Formats a fraction as a percentage: `3.25 %`. */
export const percent = (fraction: number): string => `${(fraction * 100).toLocaleString("en-US", { maximumFractionDigits: 2 })} %`;
