import { afterEach, expect } from "vitest";
import { takeWrongLines } from "./fakes/log-lines.ts";

// A log line without one of its fields harms no test, but the person who reads the log. So the lines of every test are checked.
afterEach(() => {
  expect(takeWrongLines(), "log lines whose fields differ from those in test/fakes/log-lines.ts").toEqual([]);
});
