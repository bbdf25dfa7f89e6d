import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { jsonOf } from "../../../events/json.ts";
import { FleetError } from "../../model/fleet-error.ts";
import { makeWritable, notWritable } from "../invocation/folders.ts";
import type { TargetKind } from "./target.ts";

const Remembered = z.object({ target: z.enum(["local", "aws"]) });

const fileIn = (folder: string): string => join(folder, "target.json");

/** Returns the target that `fleet use` stored last, or undefined if there is none. */
export async function rememberedTarget(folder: string): Promise<TargetKind | undefined> {
  const text = await readFile(fileIn(folder), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const { data } = Remembered.safeParse(jsonOf(text));
  if (data) return data.target;
  throw new FleetError("state-folder", `${fileIn(folder)} is not a valid record of where commands go; delete it`);
}

export async function rememberTarget(folder: string, target: TargetKind): Promise<void> {
  await makeWritable(folder);
  const fresh = `${fileIn(folder)}.${process.pid}`;
  try {
    await writeFile(fresh, JSON.stringify({ target } satisfies z.infer<typeof Remembered>));
    await rename(fresh, fileIn(folder));
  } catch (error) {
    throw notWritable(folder, error);
  }
}
