import { exitCodes } from "./invocation/exit.ts";
import { runFleet } from "./program/run.ts";
import { terminal } from "./terminal/console.ts";

// Whoever reads us may have had enough (`fleet jobs | head -1`): then nothing is left to say, and nothing is wrong.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });

/** Nothing has to be put in order first; what a command waits for goes on without it. */
function endWhenInterrupted(): void {
  process.once("SIGINT", () => {
    terminal.progress(undefined);
    process.exit(exitCodes.interrupted);
  });
}

process.exitCode = await runFleet({ argv: process.argv, console: terminal, onConnect: endWhenInterrupted });
