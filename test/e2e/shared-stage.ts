import { afterAll, beforeAll } from "vitest";
import { openStage, type Stage } from "./stage.ts";

/** Opens a local cloud before the file's tests, because starting one takes longer than most of them, and closes it after them. */
export function sharedStage(): () => Stage {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage();
  });
  afterAll(() => stage?.close());
  return () => stage;
}
