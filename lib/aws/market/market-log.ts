/** Receives what the market could not use of AWS's responses. */
export type MarketLog = (line: {
  readonly level: "info";
  readonly message: string;
  readonly instanceType: string;
  readonly because: string;
  /** What AWS said. */
  readonly received: unknown;
}) => void;
