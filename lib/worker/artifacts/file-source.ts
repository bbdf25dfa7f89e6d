import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";
import { FleetError } from "../../model/fleet-error.ts";
import type { ArtifactFile } from "./artifact-file.ts";

/** The error for a file that can never be kept. Its message is meant for the team. */
export class Unreadable extends Error {
  constructor(because: string, cause?: unknown) {
    super(because, { cause });
    this.name = "Unreadable";
  }
}

export type FileSource = { readonly bytes: number; readonly stream: Readable; close(): Promise<void> };

const chunkBytes = 1024 ** 2;

/**
 * Opens a file that was collected. It reads only as many bytes as the file has now, so that the upload of a growing file ends.
 * Throws `Unreadable` if something else, such as a link or a pipe, has replaced the file.
 */
export async function openSource({ place, identity }: Pick<ArtifactFile, "place" | "identity">): Promise<FileSource> {
  const handle = await opened(place);
  try {
    const info = await handle.stat();
    if (!info.isFile() || `${info.dev}/${info.ino}` !== identity) throw new Unreadable("it was replaced while the files were uploaded");
    const stream =
      info.size === 0 ? Readable.from([]) : handle.createReadStream({ end: info.size - 1, highWaterMark: chunkBytes, autoClose: false });
    return { bytes: info.size, stream, close: () => close(handle, stream) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function close(handle: FileHandle, stream: Readable): Promise<void> {
  stream.destroy();
  await handle.close().catch(() => undefined);
}

async function opened(place: Buffer): Promise<FileHandle> {
  try {
    return await open(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw whyNot(error);
  }
}

function whyNot(error: unknown): Error {
  switch (error instanceof Error && "code" in error ? error.code : undefined) {
    case "ENOENT":
    case "ENOTDIR":
      return new Unreadable("it was removed while the files were uploaded", error);
    case "EACCES":
    case "EPERM":
      return new Unreadable("the worker has no permission to read it", error);
    case "ELOOP":
    case "ENXIO":
      return new Unreadable("it was replaced while the files were uploaded", error);
    case "EMFILE":
    case "ENFILE":
    case "ENOMEM":
      return new FleetError("upload", "the node has no memory or file descriptors left", { retry: true, cause: error });
    default:
      return new Unreadable("it cannot be read", error);
  }
}
