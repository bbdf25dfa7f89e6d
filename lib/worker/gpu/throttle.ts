/**
 * Bits of `clocks_event_reasons.active` as in NVML's documentation (NVML API Reference, "NvmlClocksEventReasons"; the last two since its
 * R570 edition), with the names that `nvidia-smi` uses. Low clocks of an idle GPU and clocks that were set on purpose have no name,
 * because they are not a problem.
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

/**
 * Returns why the clocks are low, from a mask such as "0x0000000000000044", or undefined if it is not a mask. Unknown bits become one
 * hexadecimal value.
 */
export function throttleReasons(mask: string): string[] | undefined {
  if (!/^0x[0-9a-f]{1,16}$/i.test(mask)) return undefined;
  const bits = BigInt(mask);
  const named = reasons.flatMap(([bit, name]) => (name !== undefined && (bits & bit) !== 0n ? [name] : []));
  const rest = reasons.reduce((left, [bit]) => left & ~bit, bits);
  return rest === 0n ? named : [...named, `unknown 0x${rest.toString(16)}`];
}
