/** A failure with a code by which callers can distinguish it. `retry`: the same call may succeed later. */
export class FleetError extends Error {
  readonly code: string;
  readonly retry: boolean;
  constructor(code: string, message: string, options: { retry?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "FleetError";
    this.code = code;
    this.retry = options.retry ?? false;
  }
}
