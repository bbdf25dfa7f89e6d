/** Receives what the market could not use of AWS's responses. */
export type MarketLog = (line: {
  readonly level: "info";
  readonly message: string;
  readonly instanceType: string;
  readonly because: string;
<<<<<<< HEAD
=======
  /** What AWS said. */
>>>>>>> main
  readonly received: unknown;
}) => void;
