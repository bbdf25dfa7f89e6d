import { expect, test } from "vitest";
import { type LogPiece, messageOf, pieceOf } from "../../../events/artifacts/log-line.ts";

test.each<LogPiece>([
  { text: "a line" },
  { text: "" },
  { text: "10%", unfinished: true },
  { text: "20%", rewrites: true, unfinished: true },
  { text: "done", rewrites: true },
  { text: "...", continues: true, unfinished: true },
  { text: " the rest", continues: true },
  { text: "", continues: true },
  { text: "", rewrites: true },
])("the log piece %j is read back from its event as it was", (piece) => {
  expect(messageOf(piece)).not.toBe("");
  expect(pieceOf(messageOf(piece))).toEqual(piece);
});

test("a whole line is the message of its event, so that other tools can read the stream", () => {
  expect(messageOf({ text: "epoch 3" })).toBe("epoch 3");
  expect(messageOf({ text: "Downloading", unfinished: true }).replaceAll("\u2060", "")).toBe("Downloading");
});
