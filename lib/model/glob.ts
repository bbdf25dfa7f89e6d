/**
 * Whether a name fits a pattern in which `*` stands for any letters and `?` for one. It takes at most as many steps as the
 * product of both lengths, whatever the pattern: people send patterns to us.
 */
export function matchesGlob(pattern: string, name: string): boolean {
  let at = 0;
  let inName = 0;
  let star = -1;
  let retry = 0;
  while (inName < name.length) {
    if (at < pattern.length && pattern[at] === "*") {
      star = at;
      retry = inName;
      at += 1;
    } else if (at < pattern.length && (pattern[at] === "?" || pattern[at] === name[inName])) {
      at += 1;
      inName += 1;
    } else if (star >= 0) {
      // The last star takes one letter more.
      retry += 1;
      inName = retry;
      at = star + 1;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(at));
}

/** What every name begins with that fits. */
export const globPrefix = (pattern: string): string => /^[^*?]*/.exec(pattern)?.[0] ?? "";
