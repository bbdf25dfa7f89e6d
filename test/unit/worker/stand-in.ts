import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Writes a shell script as a program of that name into `folder/bin`. Returns a search path that begins there. */
export async function standIn(folder: string, name: string, script: string): Promise<string> {
  const file = join(folder, "bin", name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return `${dirname(file)}:/usr/bin:/bin`;
}

const docker = fileURLToPath(new URL("./docker-stand-in.sh", import.meta.url));

/** Installs a stand-in for docker's client, which keeps its state in another folder. */
export const standInDocker = (folder: string, state: string): Promise<string> =>
  standIn(folder, "docker", `exec /bin/sh "${docker}" "${state}" "$@"`);
