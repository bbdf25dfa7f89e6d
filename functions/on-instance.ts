import { InstanceEvent } from "../events/instance.ts";
import { noteInstance } from "../lib/flows/note-instance.ts";
import { start } from "../lib/runtime/start.ts";
import { instanceWiring } from "../lib/runtime/wire/instance.ts";

const { env, logger } = start("on-instance");
const deps = instanceWiring(env);

/** Hears from EC2 what becomes of instances; most of an account's are not ours. */
export const handler = async (event: unknown): Promise<void> => {
  const change = InstanceEvent.safeParse(event);
  if (!change.success) return logger.error("not an event that is understood here; it is dropped", { error: change.error.message });
  const outcome = await noteInstance(deps, change.data);
  logger.info("instance changed", { node: change.data.detail["instance-id"], event: change.data["detail-type"], outcome });
};
