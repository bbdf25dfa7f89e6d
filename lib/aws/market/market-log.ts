/** Where the market reports what it could not use of AWS's answers. */
export type MarketLog = (line: {
  readonly level: "info";
  readonly message: string;
  readonly instanceType: string;
  readonly told: unknown;
}) => void;
