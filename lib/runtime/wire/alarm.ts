import type { AlarmDeps } from "../../flows/note-alarm.ts";
import type { Environment } from "../env.ts";
import type { FleetFile } from "../fleet-file.ts";
import { ringWiring } from "./ring.ts";

export const alarmWiring = (env: Environment<"on-alarm">, fleet: FleetFile): AlarmDeps => ({ ...ringWiring(env), fleet });
