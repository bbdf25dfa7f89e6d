import type { FetchedDataset } from "./dataset.ts";

/** One sample of one GPU, as reported by `nvidia-smi`. A value that the device or its driver does not report is undefined. */
export type GpuSample = {
  readonly index: number;
  readonly model?: string | undefined;
  /** During how much of the last sample period a kernel ran, 0 to 100. */
  readonly utilizationPercent?: number | undefined;
  readonly memoryUsedMiB?: number | undefined;
  readonly memoryTotalMiB?: number | undefined;
  readonly powerWatts?: number | undefined;
  readonly temperatureC?: number | undefined;
  /** Uncorrected ECC errors since the driver was loaded. */
  readonly eccUncorrected?: number | undefined;
  /** Why its clocks are throttled at present, in the driver's names ("hw_thermal_slowdown", …); an idle GPU's low clocks do not count. */
  readonly throttled?: readonly string[] | undefined;
};

/** Idle GPUs still report 1–2 %. */
const restsBelowPercent = 5;

/** Whether at least one of the GPUs is busy. A GPU that does not report its utilization does not count as busy. */
export const isAnyBusy = (gpus: readonly GpuSample[]): boolean =>
  gpus.some(({ utilizationPercent = 0 }) => utilizationPercent >= restsBelowPercent);

/** EC2 announces an interruption this long before it reclaims a spot instance. */
export const interruptionWarningMs = 2 * 60_000;

/**
 * EC2's notice about a spot instance. `interruption`: EC2 takes it back about two minutes after `atMs`. `rebalance`: EC2 recommends to
 * replace it, because it may be taken back soon.
 */
export type Notice = { readonly kind: "interruption" | "rebalance"; readonly atMs: number };

/** Whether a notice adds something to the one before it: the first notice does, and so does an interruption after a rebalance. */
export const saysMore = (notice: Notice, before: Notice | undefined): boolean =>
  !before || (before.kind === "rebalance" && notice.kind === "interruption");

/** What a worker reports about its instance with each call. A value that is undefined has not changed. */
export type NodeTelemetry = {
  readonly address?: string | undefined;
  readonly gpus?: readonly GpuSample[] | undefined;
  readonly datasets?: readonly FetchedDataset[] | undefined;
};
