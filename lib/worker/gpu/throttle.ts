/**
 * Bits of `clocks_event_reasons.active`, as NVML's documentation numbers them (NVML API Reference, "NvmlClocksEventReasons";
 * the last two since its R570 edition), by the names that `nvidia-smi` gives them. An idle GPU's low clocks, and clocks that
 * somebody has set, are no trouble.
 */
const reasons: readonly (readonly [bit: bigint, name: string | undefined])[] = [
  [0x001n, undefined], // gpu_idle
  [0x002n, undefined], // applications_clocks_setting
  [0x004n, "sw_power_cap"],
  [0x008n, "hw_slowdown"],
  [0x010n, "sync_boost"],
  [0x020n, "sw_thermal_slowdown"],
  [0x040n, "hw_thermal_slowdown"],
  [0x080n, "hw_power_brake_slowdown"],
  [0x100n, "display_clock_setting"],
  [0x200n, "board_limit"],
  [0x400n, "reliability"],
];

/** Names of what holds the clocks down, from a mask such as "0x0000000000000044"; undefined when it is none. A bit without a name is told by its value. */
export function throttleReasons(mask: string): string[] | undefined {
  if (!/^0x[0-9a-f]{1,16}$/i.test(mask)) return undefined;
  const bits = BigInt(mask);
  const named = reasons.flatMap(([bit, name]) => (name !== undefined && (bits & bit) !== 0n ? [name] : []));
  const rest = reasons.reduce((left, [bit]) => left & ~bit, bits);
  return rest === 0n ? named : [...named, `unknown 0x${rest.toString(16)}`];
}
