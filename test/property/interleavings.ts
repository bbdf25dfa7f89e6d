/** An actor that runs concurrently with others: it does its work through `gate`, one step at a time. */
export type Actor = { readonly name: string; run(gate: Gate): Promise<void> };
/** Waits for its turn, then does the step. */
export type Gate = <T>(step: string, work: () => Promise<T>) => Promise<T>;

type Waiting = { readonly actor: string; readonly step: string; readonly go: () => void };

/**
 * Runs every order in which the actors' steps can follow each other, each in a separate world: an order is the choices made
 * where several actors could go on, and the next order changes the last choice that has an alternative. Returns how many orders there
 * were; `check` sees each world when all have ended, and the order that led there.
 */
export async function everyOrder<W>(
  make: () => Promise<{ readonly world: W; readonly actors: readonly Actor[] }>,
  check: (world: W, order: readonly string[]) => void,
): Promise<number> {
  const choices: { taken: number; of: number }[] = [];
  let orders = 0;
  for (;;) {
    const { world, actors } = await make();
    const order = await runOne(actors, choices);
    check(world, order);
    orders += 1;
    while (choices.length > 0 && isLast(choices.at(-1))) choices.pop();
    const last = choices.at(-1);
    if (!last) return orders;
    last.taken += 1;
  }
}

const isLast = (choice: { taken: number; of: number } | undefined): boolean => choice !== undefined && choice.taken + 1 >= choice.of;

async function runOne(actors: readonly Actor[], choices: { taken: number; of: number }[]): Promise<readonly string[]> {
  const waiting = new Map<string, Waiting>();
  const order: string[] = [];
  let ended = 0;
  const failures: unknown[] = [];
  for (const { name, run } of actors) {
    const gate: Gate = async (step, work) => {
      await new Promise<void>((go) => waiting.set(name, { actor: name, step, go }));
      return work();
    };
    run(gate)
      .catch((error: unknown) => failures.push(error))
      .finally(() => {
        ended += 1;
      });
  }
  for (let at = 0; ; at += 1) {
    await untilAllWait(() => ended + waiting.size >= actors.length);
    if (failures.length > 0) throw failures[0];
    const ready = [...waiting.values()].sort((a, b) => (a.actor < b.actor ? -1 : 1));
    if (ready.length === 0) return order;
    const choice = choices[at] ?? { taken: 0, of: ready.length };
    choices[at] = choice;
    const next = ready[choice.taken];
    if (choice.of !== ready.length || !next)
      throw new Error(`step ${at} had ${choice.of} choices, and has ${ready.length} in the same order`);
    waiting.delete(next.actor);
    order.push(`${next.actor}: ${next.step}`);
    next.go();
  }
}

/** Actors wait only for turns, so that they reach their gates or ends within a few. */
async function untilAllWait(settled: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000; turn += 1) {
    await Promise.resolve();
    if (settled()) return;
  }
  throw new Error("an actor neither waits nor ends");
}
