/** Calls `node` as workers do, over its URL. */
export interface Canary {
  /** Throws if there is no response of the function itself. A refusal by something in front of it is none. */
  call(): Promise<void>;
}
