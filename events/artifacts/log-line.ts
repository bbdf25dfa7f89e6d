/**
 * A piece of a job's output as one event of a log stream. Most pieces are whole lines. A line that has not ended yet is written as it is
 * (`unfinished`). The next piece either continues the line (`continues`) or replaces it (`rewrites`), as a progress bar does with a
 * carriage return. These two flags have an effect only if the event before is unfinished.
 */
export type LogPiece = {
  readonly text: string;
  readonly continues?: true;
  readonly rewrites?: true;
  readonly unfinished?: true;
};

/**
 * U+2060, word joiner: "no line break here". It has no width, so that people who read the stream without Fleetwright (in CloudWatch's
 * console, or with `aws logs tail`) see only the text.
 */
const joiner = "\u2060";
const carriageReturn = "\r";

/** How many bytes CloudWatch Logs adds to the size of each event. */
export const eventOverheadBytes = 26;

/** Returns the message of a log event. An empty one is written as a space, because CloudWatch Logs accepts no empty message. */
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
