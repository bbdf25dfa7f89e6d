import { commandLine } from "../invocation/invocation.ts";
import type { RankedLine } from "./log-pages.ts";
import { saysLeftOut } from "./log-printer.ts";

const maxHints = 5;

/** The logs of a job of which parts were left out: each has an attempt and a rank of its own. */
export class CutLogs {
  readonly #id: string;
  readonly #team: string;
  readonly #logs = new Map<string, { readonly attempt: number; readonly rank: number }>();

  constructor(id: string, team: string) {
    this.#id = id;
    this.#team = team;
  }

  /** Notes the log of a line that says that others were left out. */
  look({ line, rank }: RankedLine, attempt: number): void {
    if (saysLeftOut(line)) this.#logs.set(`${attempt} ${rank}`, { attempt, rank });
  }

  /** Commands that print the whole logs, as lines for the user. */
  get hints(): readonly string[] {
    const all = [...this.#logs.values()].map(({ attempt, rank }) => {
      const which = rank === 0 ? [] : ["--rank", String(rank)];
      const command = commandLine("logs", this.#id, "--whole", "--attempt", String(attempt), ...which, "--team", this.#team);
      const of = `attempt ${attempt}${rank === 0 ? "" : `, rank ${rank}`}`;
      return `parts of the log of ${of} were left out; print all of it with: ${command}`;
    });
    return all.length > maxHints ? [...all.slice(0, maxHints), `parts of ${all.length - maxHints} more logs were left out`] : all;
  }
}
