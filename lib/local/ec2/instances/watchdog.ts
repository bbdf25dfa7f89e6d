import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { LocalLog } from "../../run/log-line.ts";
import type { ProcessTree } from "./process-tree.ts";

/** Makes sure that instances' processes end even if this process is killed. */
export type Watchdog = {
  watch(tree: ProcessTree): void;
  forget(folder: string): void;
  close(): void;
};

/** Starts the watchdog's process with the first instance. If it dies, the next instance starts a new one. */
export function createWatchdog(log: LocalLog): Watchdog {
  const trees = new Map<string, ProcessTree>();
  let child: ChildProcess | undefined;

  const send = (line: object): void => void child?.stdin?.write(`${JSON.stringify(line)}\n`);
  const watchLine = (tree: ProcessTree): object => ({ kind: "watch", folder: tree.folder, group: tree.group });
  const start = (): void => {
    // It has its own session, so that a signal to our process group does not reach it.
    const started = spawn(process.execPath, [join(import.meta.dirname, "watchdog-process.ts")], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
      env: {},
    });
    child = started;
    const lost = (how: { readonly error: unknown } | { readonly end: unknown }): void => {
      if (child !== started) return;
      child = undefined;
      log({ message: "watchdog ended", ...how });
    };
    started.on("error", (error) => lost({ error }));
    started.on("exit", (code, signal) => lost({ end: signal ?? code }));
    started.stdin?.on("error", (error) => lost({ error }));
    started.unref();
    for (const tree of trees.values()) send(watchLine(tree));
  };

  return {
    watch(tree) {
      trees.set(tree.folder, tree);
      if (child) send(watchLine(tree));
      else start();
    },
    forget(folder) {
      trees.delete(folder);
      send({ kind: "forget", folder });
    },
    close() {
      const ended = child;
      child = undefined;
      ended?.stdin?.end();
    },
  };
}
