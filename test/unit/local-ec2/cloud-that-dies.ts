/** Starts a process in a group of its own, and one that leaves it, under the watchdog; says their ids, and waits to be killed. */
import { spawn } from "node:child_process";
import { createWatchdog } from "../../../lib/local/ec2/watchdog.ts";

const folder = process.argv[2] ?? "";
const watchdog = createWatchdog(() => undefined);
const program = `
const { spawn } = require("node:child_process");
process.on("SIGTERM", () => undefined);
const strayed = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" });
console.log(process.pid + " " + strayed.pid);
setInterval(() => {}, 1000);`;
watchdog.watch({ folder, group: undefined });
const worker = spawn(process.execPath, ["-e", program], {
  env: { FLEETWRIGHT_FOLDER: folder },
  detached: true,
  stdio: ["ignore", "inherit", "ignore"],
});
watchdog.watch({ folder, group: worker.pid });
