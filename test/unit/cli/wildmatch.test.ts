import { expect, it } from "vitest";
import { globOf } from "../../../lib/cli/pack/wildmatch.ts";

it.each<[string, RegExp]>([
  ["alnum", /[A-Za-z0-9]/],
  ["alpha", /[A-Za-z]/],
  ["blank", /[ \t]/],
  ["cntrl", /[^ -~\u0080-\u00ff]/],
  ["digit", /[0-9]/],
  ["graph", /[!-~]/],
  ["lower", /[a-z]/],
  ["print", /[ -~]/],
  ["punct", /[!-/:-@[-`{-~]/],
  ["space", /[ \t\n\r]/],
  ["upper", /[A-Z]/],
  ["xdigit", /[0-9A-Fa-f]/],
])("the class [:%s:] of a glob has the same bytes as in git, and never a slash", (name, bytes) => {
  const [inside, outside] = [globOf(`[[:${name}:]]`), globOf(`[^[:${name}:]]`)];
  for (let code = 0; code < 256; code++) {
    const text = String.fromCharCode(code);
    expect([code, inside(text)]).toEqual([code, bytes.test(text) && text !== "/"]);
    expect([code, outside(text)]).toEqual([code, !bytes.test(text) && text !== "/"]);
  }
});

it("a glob with an unknown class matches nothing", () => {
  expect(["a", "[[:letters:]]"].map(globOf("[[:letters:]]"))).toEqual([false, false]);
});
