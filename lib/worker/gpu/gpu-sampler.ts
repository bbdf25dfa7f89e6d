import { type CommandEnd, errorOf, runCommand } from "../program/command.ts";
import { findExecutable } from "../program/executable.ts";
import { type Clock, sleep } from "../runtime/clock.ts";
import type { WorkerLog } from "../runtime/log.ts";
import { type GpuReading, gpuFields, parseGpus, withoutRefused } from "./gpu-readings.ts";

export type GpuSamplerOptions = {
  /** The search path on which `nvidia-smi` is looked up. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: WorkerLog;
  /** Ends the sampling when it is aborted. */
  readonly signal: AbortSignal;
};

const everyMs = 10_000;
const timeoutMs = 5_000;
/** An older sample is not reported. */
const freshMs = 30_000;

type Reading = { readonly takenMs: number; readonly gpus: GpuReading[] };

/**
 * Reads the node's GPUs every ten seconds, one reading at a time. Returns a function that returns the last reading, or undefined if it is
 * too old. Without `nvidia-smi` there are no readings, which is logged once.
 */
export function sampleGpus(options: GpuSamplerOptions): () => GpuReading[] | undefined {
  const { clock } = options;
  let last: Reading | undefined;
  void watch(options, (gpus) => {
    last = { takenMs: clock.monotonicMs(), gpus };
  });
  return () => (last !== undefined && clock.monotonicMs() - last.takenMs < freshMs ? last.gpus : undefined);
}

async function watch({ path, clock, log, signal }: GpuSamplerOptions, see: (gpus: GpuReading[]) => void): Promise<void> {
  const found = await findExecutable("nvidia-smi", { folder: "/", path });
  if (found.kind === "missing") {
    log("info", "GPUs not sampled", { because: found.reason });
    return;
  }
  const look = gpuReader({ file: found.file, path, signal });
  let failing = false;
  while (!signal.aborted) {
    const nextMs = clock.monotonicMs() + everyMs;
    const seen = await look();
    if (seen.gpus.length > 0) see(seen.gpus);
    else if (!failing && !signal.aborted) log("warn", "GPU sampling failed", { because: seen.reason }, seen.error);
    failing = seen.gpus.length === 0;
    await sleep(clock, nextMs - clock.monotonicMs(), signal);
  }
}

type Look = { readonly gpus: GpuReading[]; readonly reason: string; readonly error?: unknown };

/** Returns a function that reads the GPUs once. It remembers which columns this driver supports. */
function gpuReader(smi: { file: string; path: string; signal: AbortSignal }): () => Promise<Look> {
  let fields: readonly string[] = gpuFields;
  const query = (): Promise<CommandEnd> => {
    const args = [`--query-gpu=${fields.join(",")}`, "--format=csv,noheader,nounits"];
    return runCommand({ file: smi.file, args, env: { PATH: smi.path }, timeoutMs, signal: smi.signal });
  };
  return async () => {
    for (;;) {
      const end = await query();
      if (end.kind !== "ended") return { gpus: [], reason: end.reason, error: errorOf(end) };
      // If one GPU is broken, `nvidia-smi` may fail and still print the readings of the others.
      const gpus = parseGpus(end.stdout, fields);
      const output = `${end.stdout}\n${end.stderr}`;
      const fewer = gpus.length === 0 ? withoutRefused(fields, output) : undefined;
      if (fewer === undefined)
        return { gpus, reason: `nvidia-smi exited with code ${end.code} and printed: ${output.trim().slice(0, 300)}` };
      fields = fewer;
    }
  };
}
