/** How amounts are written in the reasons that people read. They are rounded, because many digits hide the two or three that matter. */

const up = (value: number): number => Math.ceil(value - 1e-6);

function money(usd: number, round: (value: number) => number): string {
  const decimals = usd >= 1 || usd === 0 ? 2 : usd >= 0.001 ? 3 : 6;
  const rounded = round(usd * 10 ** decimals) / 10 ** decimals;
  if (Number.isInteger(rounded)) return `$${rounded}`;
  return `$${rounded.toFixed(decimals).replace(/(\.\d\d\d*?)0+$/, "$1")}`;
}

/** Returns an amount such as `$40`, `$2.58` or `$0.526`. */
export const dollars = (usd: number): string => money(usd, Math.round);

/** The same for a cost, rounded up, so that it never seems to fit into a limit that it exceeds. */
export const cost = (usd: number): string => money(usd, up);

/** Returns an amount such as `22.3 GiB`, rounded down, so that a job that asks for as much as is printed fits. */
export const gib = (amount: number): string => `${Math.floor(amount * 10 + 1e-6) / 10} GiB`;

/** Returns a count such as `1 GPU` or `8 GPUs`. */
export const gpus = (count: number): string => `${count} ${count === 1 ? "GPU" : "GPUs"}`;
