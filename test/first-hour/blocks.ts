/** A fenced block of commands or code in README. */
export type Block = {
  /** Line of its first fence. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** Whether `<!-- needs-aws -->` directly precedes it. */
  readonly needsAws: boolean;
};

/** How a block is run. `ci`: by .ci/run itself. `cloud`: it keeps running during the blocks that follow. */
export type Kind = "ci" | "cloud" | "needs-aws" | "sh" | "python" | "unknown";

/** Returns all fenced blocks, in order. */
export function blocksOf(markdown: string): Block[] {
  const lines = markdown.split("\n");
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    const [, language] = /^```(.*)$/.exec(lines[at] ?? "") ?? [];
    if (language === undefined) continue;
    const end = lines.indexOf("```", at + 1);
    if (end < 0) throw new Error(`the block in line ${at + 1} has no end`);
    const needsAws = lines[at - 1]?.trim() === "<!-- needs-aws -->";
    blocks.push({ line: at + 1, language: language.trim(), text: lines.slice(at + 1, end).join("\n"), needsAws });
    at = end;
  }
  return blocks;
}

export function kindOf({ language, text, needsAws }: Block): Kind {
  if (needsAws) return "needs-aws";
  if (/^npm ci && npm (start|test)$/.test(text)) return "ci";
  if (text === "npm run -s fleet local") return "cloud";
  return language === "sh" || language === "python" ? language : "unknown";
}

/** Returns the problems of these blocks that would keep a newcomer from running README. */
export function wrongsOf(blocks: readonly Block[]): string[] {
  const of = (kind: Kind): Block[] => blocks.filter((block) => kindOf(block) === kind);
  const wants = (kind: Kind, least: number, most = least): string[] => {
    const { length } = of(kind);
    return length >= least && length <= most ? [] : [`README has ${length} blocks of kind ${kind}`];
  };
  return [
    ...of("unknown").map(({ line, language }) => `the block in line ${line} is of no known language: ${JSON.stringify(language)}`),
    ...wants("needs-aws", 1),
    ...wants("ci", 2),
    ...wants("cloud", 1),
    ...wants("sh", 3, Number.POSITIVE_INFINITY),
    ...wants("python", 1, Number.POSITIVE_INFINITY),
  ];
}
