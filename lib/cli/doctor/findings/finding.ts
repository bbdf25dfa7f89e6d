/** `unchecked`: the check could not be made, so nothing is known. */
export type FindingSeverity = "warning" | "error" | "unchecked";

/** Something that a check found. `code` is stable, so that programs can know it again. */
export type Finding = {
  readonly code: string;
  readonly severity: FindingSeverity;
  /** One sentence. */
  readonly says: string;
  /** A command, or what to do in words. */
  readonly mend?: string | undefined;
};

export const anError = (code: string, says: string, mend: string): Finding => ({ code, severity: "error", says, mend });
export const aWarning = (code: string, says: string, mend: string): Finding => ({ code, severity: "warning", says, mend });

/** Says that a check, or a part of one, could not be made. It is never reported as sound. */
export const couldNotCheck = (check: string, why: string, mend?: string): Finding => ({
  code: `${check}.unchecked`,
  severity: "unchecked",
  says: `could not check: ${why}`,
  mend,
});

/** A fact that was read, or why it could not be read. */
export type ReadFact<T> = { readonly value: T } | { readonly unknown: string };
