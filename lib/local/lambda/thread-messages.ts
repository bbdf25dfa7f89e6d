/** The messages between a function's thread and the local cloud. Events and results are JSON texts, as on AWS. */
export type ToThread = { readonly kind: "invoke"; readonly requestId: string; readonly event: string; readonly deadlineMs: number };

export type FromThread =
  | { readonly kind: "ready" }
  | { readonly kind: "broken"; readonly error: FunctionError }
  | { readonly kind: "returned"; readonly requestId: string; readonly payload: string }
  | { readonly kind: "failed"; readonly requestId: string; readonly error: FunctionError };

/** An error as Lambda reports it. */
export type FunctionError = { readonly errorType: string; readonly errorMessage: string; readonly trace?: readonly string[] };

/** The facts that a thread receives when it starts. */
export type ThreadData = {
  readonly folder: string;
  readonly handler: string;
  readonly functionName: string;
  readonly functionArn: string;
  readonly memoryMiB: number;
};
