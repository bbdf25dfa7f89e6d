import { expect, test } from "vitest";
import { inWords, withCauses } from "../../../lib/model/errors/in-words.ts";

test("an error in words is its message, or its name if it has none", () => {
  expect(inWords(new Error("it broke"))).toBe("it broke");
  expect(inWords(new TypeError())).toBe("TypeError");
});

test("what is thrown and is no error has words, too", () => {
  expect(inWords("a text")).toBe("a text");
  expect(inWords(undefined)).toBe("undefined");
  expect(inWords(Object.create(null))).toBe("something was thrown that is not an error");
});

test("causes follow an error, and one that is its own cause ends", () => {
  expect(withCauses(new Error("outer", { cause: new Error("inner", { cause: "innermost" }) }))).toBe("outer: inner: innermost");
  const own = new Error("own");
  own.cause = own;
  expect(withCauses(own)).toBe("own: own: own: own: own: own");
});
