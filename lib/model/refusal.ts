import { type Market, type OfferRef, offerName } from "./offer.ts";

/**
 * What a refusal is about. `capacity`: an offer, whoever asks. `limit`: a quota of the account, for all types it counts.
 * `fault`: an offer, but only for the pool that asked, as it may be the pool's own request that is wrong.
 */
export type Subject =
  | ({ readonly why: "capacity" } & OfferRef)
  | { readonly why: "limit"; readonly market: Market; readonly quota: string }
  | ({ readonly why: "fault"; readonly pool: string } & OfferRef);

/** What EC2 turned down and has not given since: kept in the table, for every handler and every pool. */
export type Refusal = Subject & {
  /** EC2's word, of the last time. */
  readonly code: string;
  /** How much was asked for at once: nodes, of a limit vCPUs. Less of it may be had at any time. */
  readonly least: number;
  /** How often it was refused, where each time counts half for every half-life that has passed since; as of `atMs`. */
  readonly evidence: number;
  /** When EC2 last said so. */
  readonly atMs: number;
  /** When it first said so since it last gave. */
  readonly sinceMs: number;
  /** Not asked for again before then. */
  readonly untilMs: number;
  /** The launch that was refused last: the same answer, read again, counts once. */
  readonly launch: string;
};

/** A subject in a word, such as `capacity g5.xlarge/us-east-1a/spot`. */
export function subjectName(subject: Subject): string {
  switch (subject.why) {
    case "capacity":
      return `capacity ${offerName(subject)}`;
    case "limit":
      return `limit ${subject.market}/${subject.quota}`;
    case "fault":
      return `fault ${subject.pool}/${offerName(subject)}`;
  }
}

/** How much was refused, of what and by which launch. */
export type Refused = {
  readonly subject: Subject;
  readonly code: string;
  readonly least: number;
  readonly launch: string;
};
