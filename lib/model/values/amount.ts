/** How amounts are written in the reasons that people read. A figure of eight digits hides the two that matter. */

const up = (value: number): number => Math.ceil(value - 1e-6);

function money(usd: number, round: (value: number) => number): string {
  const decimals = usd >= 1 || usd === 0 ? 2 : usd >= 0.001 ? 3 : 6;
  const rounded = round(usd * 10 ** decimals) / 10 ** decimals;
  if (Number.isInteger(rounded)) return `$${rounded}`;
  return `$${rounded.toFixed(decimals).replace(/(\.\d\d\d*?)0+$/, "$1")}`;
}

/** `$40`, `$2.58`, `$0.526`. */
export const dollars = (usd: number): string => money(usd, Math.round);

/** The same of what something costs, rounded up: it never seems to fit where it does not. */
export const cost = (usd: number): string => money(usd, up);

/** `22.3 GiB`, rounded down: whoever asks for as much is given it. */
export const gib = (amount: number): string => `${Math.floor(amount * 10 + 1e-6) / 10} GiB`;

/** `1 GPU`, `8 GPUs`. */
export const gpus = (count: number): string => `${count} ${count === 1 ? "GPU" : "GPUs"}`;
