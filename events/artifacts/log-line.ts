/**
 * A piece of a job's output as one event of a log stream. Most pieces are whole lines. A line that has no end yet is written as it
 * stands (`unfinished`); the piece that follows either goes on with it (`continues`) or begins it anew (`rewrites`), as a progress bar
 * does with a carriage return. A piece that continues or rewrites does so only if the event before it is unfinished.
 */
export type LogPiece = {
  readonly text: string;
  readonly continues?: true;
  readonly rewrites?: true;
  readonly unfinished?: true;
};

/**
 * U+2060, word joiner: "no line break here". It has no width, so whoever reads the stream without Fleetwright (CloudWatch's console,
 * `aws logs tail`) sees the text alone.
 */
const joiner = "\u2060";
const carriageReturn = "\r";

/** What CloudWatch Logs adds to each event when it counts bytes. */
export const eventOverheadBytes = 26;

/** CloudWatch Logs takes no empty message. */
export function messageOf({ text, continues, rewrites, unfinished }: LogPiece): string {
  const message = `${rewrites ? carriageReturn : continues ? joiner : ""}${text}${unfinished ? joiner : ""}`;
  return message === "" ? " " : message;
}

export function pieceOf(message: string): LogPiece {
  const continues = message.startsWith(joiner);
  const rewrites = message.startsWith(carriageReturn);
  const unfinished = message.endsWith(joiner) && message.length > (continues ? 1 : 0);
  const text = message.slice(continues || rewrites ? 1 : 0, unfinished ? -1 : undefined);
  return {
    text: text === " " && message === " " ? "" : text,
    ...(continues && { continues }),
    ...(rewrites && { rewrites }),
    ...(unfinished && { unfinished }),
  };
}
