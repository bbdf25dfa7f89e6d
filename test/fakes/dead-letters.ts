import type { DeadLetter, DeadQueue, TakenLetter } from "../../lib/model/letters/dead-letter.ts";
import type { DeadLetters } from "../../lib/ports/queues/dead-letters.ts";

type Kept = { letter: DeadLetter; hiddenUntilMs: number };

/** Dead letters in memory, which hide as those of SQS do. */
export class MemoryDeadLetters implements DeadLetters {
  /** What was done, in order: `send seal {…}`, `delete seal m-1`. */
  readonly done: string[] = [];
  /** The operations that fail now. */
  readonly failing = new Set<"send" | "delete">();
  /** The queues that do not exist. */
  readonly missing = new Set<string>();
  readonly #kept = new Map<string, Kept[]>();
  readonly #now: () => number;
  #ids = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  put(queue: string, body: unknown, over: Partial<DeadLetter> = {}): void {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const letter = { id: `m-${++this.#ids}`, body: text, sentAtMs: this.#now(), received: 5, ...over };
    this.#kept.set(queue, [...this.#of(queue), { letter, hiddenUntilMs: 0 }]);
  }

  count = async ({ name }: DeadQueue): Promise<number | undefined> => (this.missing.has(name) ? undefined : this.#of(name).length);

  look = async (of: DeadQueue): Promise<readonly DeadLetter[]> => this.#receive(of, 10, 0);

  take = async (of: DeadQueue, most: number): Promise<readonly TakenLetter[]> =>
    this.#receive(of, most, 60_000).map((letter) => ({ ...letter, receipt: letter.id }));

  send = async ({ name }: DeadQueue, body: string): Promise<void> => this.#do("send", `send ${name} ${body}`);

  delete = async ({ name }: DeadQueue, { receipt }: TakenLetter): Promise<void> => {
    this.#do("delete", `delete ${name} ${receipt}`);
    this.#kept.set(
      name,
      this.#of(name).filter(({ letter }) => letter.id !== receipt),
    );
  };

  #receive({ name }: DeadQueue, most: number, hiddenMs: number): readonly DeadLetter[] {
    const nowMs = this.#now();
    const visible = this.#of(name).filter(({ hiddenUntilMs }) => hiddenUntilMs <= nowMs);
    return visible.slice(0, Math.min(most, 10)).map((kept) => {
      kept.hiddenUntilMs = nowMs + hiddenMs;
      kept.letter = { ...kept.letter, received: kept.letter.received + 1 };
      return kept.letter;
    });
  }

  #do(what: "send" | "delete", line: string): void {
    if (this.failing.has(what)) throw new Error(`the queue refuses to ${what}`);
    this.done.push(line);
  }

  #of = (name: string): readonly Kept[] => this.#kept.get(name) ?? [];
}
