import type { ProblemView } from "../views/problem.ts";

/** The statuses of successful responses. The status of a problem follows from its code. */
export type SuccessStatus = 200 | 201 | 204;

/** What an operation returns, before it becomes HTTP. */
export type ApiResponse<Body = unknown> =
  | { readonly kind: "success"; readonly status: SuccessStatus; readonly body: Body }
  | ProblemResponse;

export type ProblemResponse = { readonly kind: "problem" } & ProblemFields;

/** The fields of a problem that depend on the request. */
export type ProblemFields = Pick<ProblemView, "code" | "detail"> & Partial<Pick<ProblemView, "errors" | "job">>;

export const success = <Body>(body: Body, status: SuccessStatus = 200): ApiResponse<Body> => ({ kind: "success", status, body });

export const problem = (code: ProblemView["code"], detail: string, more: Pick<ProblemFields, "errors" | "job"> = {}): ProblemResponse => ({
  kind: "problem",
  code,
  detail,
  ...more,
});

/** The status of each code, with HTTP's phrase for it. */
export const statuses = {
  invalid: { status: 400, title: "Bad Request" },
  cursor: { status: 400, title: "Bad Request" },
  denied: { status: 403, title: "Forbidden" },
  "not-found": { status: 404, title: "Not Found" },
  method: { status: 405, title: "Method Not Allowed" },
  conflict: { status: 409, title: "Conflict" },
  "too-large": { status: 413, title: "Content Too Large" },
  "media-type": { status: 415, title: "Unsupported Media Type" },
  rejected: { status: 422, title: "Unprocessable Content" },
  internal: { status: 500, title: "Internal Server Error" },
  busy: { status: 503, title: "Service Unavailable" },
} as const satisfies Record<ProblemView["code"], { status: number; title: string }>;
