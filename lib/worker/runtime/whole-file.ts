import { open, rename } from "node:fs/promises";

/** Writes a file whole or not at all, so that it is there after a power failure, too. Only the worker can read it. */
export async function writeWhole(file: string, text: string): Promise<void> {
  const handle = await open(`${file}.part`, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.part`, file);
}
