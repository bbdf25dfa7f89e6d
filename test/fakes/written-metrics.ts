import { vi } from "vitest";

/** Returns the embedded metrics that are written while `work` runs. The caller must restore mocks after each test. */
export function writtenMetrics(work: () => void): Record<string, unknown>[] {
  const lines: unknown[] = [];
  vi.spyOn(console, "log").mockImplementation((line: unknown) => void lines.push(line));
  // POWERTOOLS_DEV makes Powertools write to this console, but also disables metrics unless it is set to enable them.
  vi.stubEnv("POWERTOOLS_DEV", "true");
  vi.stubEnv("POWERTOOLS_METRICS_DISABLED", "false");
  work();
  vi.unstubAllEnvs();
  return lines.map((line) => JSON.parse(String(line)));
}
