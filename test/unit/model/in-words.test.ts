import { expect, test } from "vitest";
import { inWords, withCauses } from "../../../lib/model/errors/in-words.ts";

test("an error in words is its message, or its name if it has no message", () => {
  expect(inWords(new Error("it broke"))).toBe("it broke");
  expect(inWords(new TypeError())).toBe("TypeError");
});

test("a thrown value that is not an error has words too", () => {
  expect(inWords("a text")).toBe("a text");
  expect(inWords(undefined)).toBe("undefined");
  expect(inWords(Object.create(null))).toBe("something was thrown that is not an error");
});

test("an error's causes follow it in words, and an error that is its own cause ends after five", () => {
  expect(withCauses(new Error("outer", { cause: new Error("inner", { cause: "innermost" }) }))).toBe("outer: inner: innermost");
  const own = new Error("own");
  own.cause = own;
  expect(withCauses(own)).toBe("own: own: own: own: own: own");
});
