import { type Market, type OfferRef, offerName } from "./offer.ts";

/**
 * What a refusal is about. `capacity`: an offer, for all pools. `limit`: a quota of the account in a region, for all instance types that count
 * towards it. `fault`: an offer, but only for the pool that asked, because the pool's own request may be wrong.
 */
export type Subject =
  | ({ readonly why: "capacity" } & OfferRef)
  | { readonly why: "limit"; readonly region: string; readonly market: Market; readonly quota: string }
  | ({ readonly why: "fault"; readonly pool: string } & OfferRef);

/** What EC2 refused and has not given since. The table stores it for all handlers and pools. */
export type Refusal = Subject & {
  /** The error code of EC2's last refusal. */
  readonly code: string;
  /** How much was refused: nodes, or vCPUs for a limit. A launch of less may be tried at any time. */
  readonly least: number;
  /** How often it was refused, where each refusal's weight halves with every half-life since; as of `atMs`. */
  readonly evidence: number;
  /** When EC2 last refused, ms since the epoch. */
  readonly atMs: number;
  /** When EC2 first refused since it last gave. */
  readonly sinceMs: number;
  /** It must not be asked for again before then. */
  readonly untilMs: number;
  /** The launch that was refused last, so that the same response counts only once. */
  readonly launch: string;
};

/** Returns the name of a subject, such as `capacity g5.xlarge/us-east-1a/spot`. */
export function subjectName(subject: Subject): string {
  switch (subject.why) {
    case "capacity":
      return `capacity ${offerName(subject)}`;
    case "limit":
      return `limit ${subject.region}/${subject.market}/${subject.quota}`;
    case "fault":
      return `fault ${subject.pool}/${offerName(subject)}`;
  }
}

/** One refusal as a launch reported it: of what, how much (see `least` above) and to which launch. */
export type Refused = {
  readonly subject: Subject;
  readonly code: string;
  readonly least: number;
  readonly launch: string;
};
