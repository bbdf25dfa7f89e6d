import type { FetchedDataset } from "./dataset.ts";

/** One look at one GPU, as `nvidia-smi` told it. What the device or its driver does not tell is absent. */
export type GpuSample = {
  readonly index: number;
  readonly model?: string | undefined;
  /** How much of the last sample period a kernel ran, 0 to 100. */
  readonly utilizationPercent?: number | undefined;
  readonly memoryUsedMiB?: number | undefined;
  readonly memoryTotalMiB?: number | undefined;
  readonly powerWatts?: number | undefined;
  readonly temperatureC?: number | undefined;
  /** Uncorrected ECC errors since the driver was loaded. */
  readonly eccUncorrected?: number | undefined;
  /** Why its clocks are held down just now, as the driver names it ("hw_thermal_slowdown", …); idleness is no reason. */
  readonly throttled?: readonly string[] | undefined;
};

/** Drivers tell a percent or two of a GPU at rest. */
const restsBelowPercent = 5;

/** Whether some of the GPUs work. One that does not tell says nothing. */
export const isAnyBusy = (gpus: readonly GpuSample[]): boolean =>
  gpus.some(({ utilizationPercent = 0 }) => utilizationPercent >= restsBelowPercent);

/** EC2's word that an instance will not stay. `interruption`: it is taken back about two minutes from `atMs` on. `rebalance`: it may be soon. */
export type Notice = { readonly kind: "interruption" | "rebalance"; readonly atMs: number };

/** Whether a notice says more than the one before it: an interruption does after a recommendation, and nothing else after anything. */
export const saysMore = (notice: Notice, before: Notice | undefined): boolean =>
  !before || (before.kind === "rebalance" && notice.kind === "interruption");

/** What a worker tells of its instance with each call; what it does not tell is as it was. */
export type Telling = {
  readonly address?: string | undefined;
  readonly gpus?: readonly GpuSample[] | undefined;
  /** When a GPU was busy, if one is. */
  readonly gpusBusyAtMs?: number | undefined;
  readonly datasets?: readonly FetchedDataset[] | undefined;
};
