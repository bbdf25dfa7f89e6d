import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";

export type Ended = { readonly kind: "ended"; readonly code: number; readonly output: string } | { readonly kind: "timed-out" };

/** Starts processes one after another, each as the leader of a group, so that it can be ended with all that it has started. */
export class Processes {
  #current: ChildProcess | undefined;

  async run(command: readonly [string, ...string[]], { cwd, timeoutMs }: { cwd: string; timeoutMs: number }): Promise<Ended> {
    const [file, ...args] = command;
    const child = spawn(file, args, { cwd, detached: true, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, CI: "1" } });
    this.#current = child;
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once("error", reject);
      // Not "close": a process that a mutant has left behind may hold the pipes.
      child.once("exit", (code) => resolve({ kind: "ended", code: code ?? 1, output }));
    });
    const over = new AbortController();
    const late = pause(timeoutMs, { kind: "timed-out" } as const, { signal: over.signal }).catch(() => ended);
    try {
      return await Promise.race([ended, late]);
    } finally {
      over.abort();
      this.end();
    }
  }

  /** Ends the current process and its group. Calling it twice is safe. */
  end(): void {
    const pid = this.#current?.pid;
    this.#current = undefined;
    if (pid === undefined) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // The group has already ended.
    }
  }
}
