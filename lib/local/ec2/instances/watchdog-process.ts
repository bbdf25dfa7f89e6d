/**
 * Ends the instances' processes if the local cloud died without doing so. It reads them from standard input, one JSON object per
 * line. When the pipe closes, the local cloud is gone; this happens even after SIGKILL.
 */
import { createInterface } from "node:readline";
import * as z from "zod";
import { endTree } from "./process-tree.ts";

const Line = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("watch"), folder: z.string(), group: z.int().positive().optional() }),
  z.strictObject({ kind: z.literal("forget"), folder: z.string() }),
]);

const graceMs = 2000;
const watched = new Map<string, number | undefined>();

// Ctrl-C and a closed terminal are for the local cloud itself, which then ends its instances in order.
process.on("SIGINT", () => undefined);
process.on("SIGHUP", () => undefined);

for await (const text of createInterface({ input: process.stdin })) {
  const line = Line.parse(JSON.parse(text));
  if (line.kind === "watch") watched.set(line.folder, line.group);
  else watched.delete(line.folder);
}
await Promise.all([...watched].map(([folder, group]) => endTree({ folder, group }, graceMs)));
