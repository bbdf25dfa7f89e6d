/** Returns the variables that the boot script would export: `export FLEETWRIGHT_X='…'` and `export AWS_REGION='…'`, with shell quoting. */
export function exportsOf(userDataBase64: string): ReadonlyMap<string, string> {
  const script = Buffer.from(userDataBase64, "base64").toString("utf8");
  const exported = script.matchAll(/^\s*export (FLEETWRIGHT_[A-Z0-9_]+|AWS_REGION)=((?:'[^']*'|\\')+)\s*$/gm);
  return new Map([...exported].map(([, name = "", quoted = ""]) => [name, unquoted(quoted)]));
}

const unquoted = (text: string): string => text.replace(/'([^']*)'|\\(')/g, (_, inside, escaped) => inside ?? escaped);
