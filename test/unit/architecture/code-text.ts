/**
 * Returns TypeScript without text: strings, the fixed parts of templates, regular expressions and comments become spaces.
 * Every other character keeps its position, so that brackets can be counted.
 */
export function withoutText(source: string): string {
  const out = [...source];
  const blank = (from: number, to: number): void => {
    for (let at = from; at < to; at += 1) if (out[at] !== "\n") out[at] = " ";
  };
  /** For each open template, the number of open braces in its `${`. */
  const templates: number[] = [];
  let at = 0;
  while (at < source.length) {
    const rest = source.slice(at, at + 2);
    const char = source[at] ?? "";
    if (rest === "//" || rest === "/*") at = blanked(at, rest === "//" ? lineEnd(source, at) : after(source, "*/", at + 2));
    else if (char === '"' || char === "'") at = blanked(at, stringEnd(source, at));
    else if (char === "/" && beginsRegex(source, at)) at = blanked(at, regexEnd(source, at));
    else if (char === "`") at = template(at + 1);
    else if (char === "}" && templates.at(-1) === 0) {
      templates.pop();
      at = template(at + 1);
    } else {
      const depth = templates.length - 1;
      if (depth >= 0 && char === "{") templates[depth] = (templates[depth] ?? 0) + 1;
      if (depth >= 0 && char === "}") templates[depth] = (templates[depth] ?? 0) - 1;
      at += 1;
    }
  }
  return out.join("");

  function blanked(from: number, to: number): number {
    blank(from, to);
    return to;
  }

  /** Blanks the text of a template up to its end or to the next `${`, which stays. */
  function template(from: number): number {
    for (let end = from; end < source.length; end += 1) {
      if (source[end] === "\\") end += 1;
      else if (source[end] === "`") return blanked(from, end) + 1;
      else if (source.startsWith("${", end)) {
        templates.push(0);
        return blanked(from, end) + 2;
      }
    }
    return source.length;
  }
}

const lineEnd = (source: string, at: number): number => {
  const end = source.indexOf("\n", at);
  return end < 0 ? source.length : end;
};

const after = (source: string, what: string, at: number): number => {
  const found = source.indexOf(what, at);
  return found < 0 ? source.length : found + what.length;
};

function stringEnd(source: string, from: number): number {
  for (let at = from + 1; at < source.length; at += 1) {
    if (source[at] === "\\") at += 1;
    else if (source[at] === source[from]) return at + 1;
  }
  return source.length;
}

/** Reports whether a slash begins a regular expression. After a value, it divides. */
const beginsRegex = (source: string, at: number): boolean =>
  /(?:^|[=([{,;:!&|?>+]|\breturn)\s*$/.test(source.slice(Math.max(0, at - 60), at));

function regexEnd(source: string, from: number): number {
  let inClass = false;
  for (let at = from + 1; at < source.length; at += 1) {
    const char = source[at];
    if (char === "\\") at += 1;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "/" && !inClass) return at + 1;
  }
  return source.length;
}

const closing: Readonly<Record<string, string>> = { "(": ")", "{": "}", "[": "]" };

/** Returns the position after the bracket that closes the one at `open`. */
export function closeOf(text: string, open: number): number {
  const bracket = text[open] ?? "";
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === bracket) depth += 1;
    if (text[at] === closing[bracket]) depth -= 1;
    if (depth === 0) return at + 1;
  }
  return text.length;
}

/** A call around a position. `callee` includes `new` if it has one. */
export type Around = { readonly callee: string; readonly args: string };

/** Returns the calls around a position within its statement, the innermost first. The body of a function ends the search. */
export function callsAround(text: string, place: number): readonly Around[] {
  const found: Around[] = [];
  let closed = 0;
  for (let at = place - 1; at >= 0; at -= 1) {
    const char = text[at] ?? "";
    if (")]}".includes(char)) closed += 1;
    else if ("([{".includes(char) && closed > 0) closed -= 1;
    else if (char === "(") {
      const callee = /(?:new\s+)?[\w.#?]+$/.exec(text.slice(Math.max(0, at - 80), at))?.[0];
      if (callee !== undefined) found.push({ callee, args: text.slice(at, closeOf(text, at)) });
    } else if (char === "{" && /(?:=>|\))\s*$/.test(text.slice(Math.max(0, at - 20), at))) return found;
    else if (char === ";" && closed === 0) return found;
  }
  return found;
}
