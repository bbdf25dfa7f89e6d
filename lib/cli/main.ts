import { exitCodes } from "./invocation/exit.ts";
import { runFleet } from "./program/run.ts";
import { terminal } from "./terminal/console.ts";

// The reader of our output may close the pipe early (`fleet jobs | head -1`). Nothing is left to print then, and it is not an error.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });

/** Exits at once on Ctrl-C. Nothing needs cleaning up, and the work that a command waits for continues without it. */
function endWhenInterrupted(): void {
  process.once("SIGINT", () => {
    terminal.progress(undefined);
    process.exit(exitCodes.interrupted);
  });
}

process.exitCode = await runFleet({ argv: process.argv, console: terminal, onConnect: endWhenInterrupted });
