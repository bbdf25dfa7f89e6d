import { open } from "node:fs/promises";
import type { User } from "./user.ts";

/** Where a program starts, and as whom. */
type Confinement = {
  /** The file of the cgroup to which a process adds itself. */
  readonly procs: string;
  readonly user?: User | undefined;
};

/** What is launched: an absolute path, its arguments with the name that it is called by, its environment and its folder. */
type Launchable = {
  readonly file: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
};

/**
 * The launcher is a Node process that becomes the program: it joins the cgroup, gives up root, and replaces itself. So the program, and whatever it
 * starts first, is in the cgroup before its first instruction. It gets all that it needs through a pipe, and has no environment of its own,
 * because a job's could make it run something else (LD_PRELOAD, NODE_OPTIONS). A signal that Node ignores would stay ignored in the
 * program, and one that it handles does not.
 */
const script = `
const { readFileSync, writeFileSync, closeSync } = require("node:fs");
const { confinement, launched } = JSON.parse(readFileSync(3, "utf8"));
closeSync(3);
writeFileSync(confinement.procs, "0");
if (confinement.user) {
  process.setgroups([]);
  process.setgid(confinement.user.gid);
  process.setuid(confinement.user.uid);
}
process.chdir(launched.folder);
for (const ignored of ["SIGPIPE", "SIGXFSZ"]) process.on(ignored, () => {});
process.execve(launched.file, launched.command, launched.env);
`;

/** The program and the arguments that start the launcher. Descriptor 3 must be a pipe with the text that `launchText` returns. */
export const launcher = { file: process.execPath, args: ["--disable-warning=ExperimentalWarning", "--eval", script] } as const;

export const launchText = (confinement: Confinement, launched: Launchable): string => JSON.stringify({ confinement, launched });

/** Linux's limit of one argument or variable, and of all of them together with the usual stack of 8 MiB, bytes: execve(2). */
const longestText = 128 * 1024;
const longestTogether = 2 * 1024 * 1024;

/**
 * Returns what is really run, as execvp(3) does: a script without an interpreter is given to the shell. Throws an error with the code that
 * execve(2) would fail with, because the launcher could only abort.
 */
export async function launchable({ file, command, env, folder }: Launchable): Promise<Launchable> {
  const texts = [...command, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
  const lengths = texts.map((text) => Buffer.byteLength(text) + 1);
  if (Math.max(...lengths) > longestText || lengths.reduce((sum, each) => sum + each + 8, 0) > longestTogether)
    throw notLaunchable("E2BIG", "its arguments and environment are longer than the system allows");
  const begin = await beginning(file);
  const [, interpreter] = /^#![ \t]*(\S+)/.exec(begin) ?? [];
  if (interpreter !== undefined && !(await isThere(interpreter)))
    throw notLaunchable("ENOENT", `its interpreter ${interpreter} does not exist`);
  const isProgram = interpreter !== undefined || begin.startsWith("\x7fELF");
  return isProgram ? { file, command, env, folder } : { file: "/bin/sh", command: ["sh", file, ...command.slice(1)], env, folder };
}

const notLaunchable = (code: string, why: string): Error => Object.assign(new Error(`${code}: ${why}`), { code });

async function beginning(file: string): Promise<string> {
  const handle = await open(file, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(256), 0, 256, 0);
    return buffer.toString("latin1", 0, bytesRead);
  } finally {
    await handle.close();
  }
}

const isThere = (file: string): Promise<boolean> =>
  open(file, "r").then(
    (handle) => handle.close().then(() => true),
    () => false,
  );
