import { type CommandEnd, errorOf, runCommand } from "../program/command.ts";
import { findExecutable } from "../program/executable.ts";
import { type Clock, sleep } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { type GpuReading, gpuFields, parseGpus, withoutRefused } from "./gpu-readings.ts";

export type GpuSamplerOptions = {
  /** Where `nvidia-smi` is looked for. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends the sampling. */
  readonly signal: AbortSignal;
};

const everyMs = 10_000;
const timeoutMs = 5_000;
/** An older sample is not told. */
const freshMs = 30_000;

type Reading = { readonly takenMs: number; readonly gpus: GpuReading[] };

/**
 * Looks at the node's GPUs every ten seconds, one look at a time. The answer gives the last look while it is fresh.
 * Where there is no `nvidia-smi` there is none, and that is said once.
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
    log("info", "GPUs are not sampled", { because: found.reason });
    return;
  }
  const look = gpuReader({ file: found.file, path, signal });
  let failing = false;
  while (!signal.aborted) {
    const nextMs = clock.monotonicMs() + everyMs;
    const seen = await look();
    if (seen.gpus.length > 0) see(seen.gpus);
    else if (!failing && !signal.aborted) log("warn", "GPUs could not be sampled", { because: seen.because }, seen.error);
    failing = seen.gpus.length === 0;
    await sleep(clock, nextMs - clock.monotonicMs(), signal);
  }
}

type Look = { readonly gpus: GpuReading[]; readonly because: string; readonly error?: unknown };

/** One look each time; it learns which columns this driver has. */
function gpuReader(smi: { file: string; path: string; signal: AbortSignal }): () => Promise<Look> {
  let fields: readonly string[] = gpuFields;
  const ask = (): Promise<CommandEnd> => {
    const args = [`--query-gpu=${fields.join(",")}`, "--format=csv,noheader,nounits"];
    return runCommand({ file: smi.file, args, env: { PATH: smi.path }, timeoutMs, signal: smi.signal });
  };
  return async () => {
    for (;;) {
      const end = await ask();
      if (end.kind !== "ended") return { gpus: [], because: end.because, error: errorOf(end) };
      // A worn GPU makes it end with a code of its own, and still tell of the others.
      const gpus = parseGpus(end.stdout, fields);
      const said = `${end.stdout}\n${end.stderr}`;
      const fewer = gpus.length === 0 ? withoutRefused(fields, said) : undefined;
      if (fewer === undefined) return { gpus, because: `it ended with ${end.code} and said: ${said.trim().slice(0, 300)}` };
      fields = fewer;
    }
  };
}
