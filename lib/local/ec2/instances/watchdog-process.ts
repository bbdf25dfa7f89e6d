/**
 * Ends the instances' processes when the local cloud is gone without having done so. It is told of them on standard
 * input, a line of JSON each; the pipe's end, which even SIGKILL brings about, is the sign.
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

// Ctrl-C and a closed terminal are for the local cloud itself, which ends its instances in order.
process.on("SIGINT", () => undefined);
process.on("SIGHUP", () => undefined);

for await (const text of createInterface({ input: process.stdin })) {
  const line = Line.parse(JSON.parse(text));
  if (line.kind === "watch") watched.set(line.folder, line.group);
  else watched.delete(line.folder);
}
await Promise.all([...watched].map(([folder, group]) => endTree({ folder, group }, graceMs)));
