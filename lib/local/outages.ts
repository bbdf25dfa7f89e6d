import { FleetError } from "../model/fleet-error.ts";
import type { HttpResponse } from "./requests/http.ts";

/**
 * What is out of reach. `functions`: connections to functions' URLs are cut, running invocations have ended, no queue is read for a function,
 * events wait, and schedules call nothing. `table`: calls of DynamoDB get no response until their callers give up.
 */
export type OutageOf = "functions" | "table";

/** An outage that has begun. */
export type LocalOutage = {
  /** Returns how many calls of workers, users or functions have failed because of it so far. */
  refused(): number;
  end(): void;
};

/** What is out of reach at present. There is one outage at a time. */
export type LocalOutages = {
  isOut(of: OutageOf): boolean;
  /** Reports whether a call to this service gets no response, and counts it if so. */
  isSilent(service: string): boolean;
  /** Returns the handler of calls to functions, which cuts each connection during an outage of functions. */
  cutting<Args extends readonly unknown[]>(handle: (...args: Args) => Promise<HttpResponse>): (...args: Args) => Promise<HttpResponse>;
  /** Throws the FleetError `outage` if there is one already. `ended` is called at its end. */
  begin(of: OutageOf, ended: () => void): LocalOutage;
};

const cut: HttpResponse = { status: 503, headers: {}, body: "", cut: true };

export function createOutages(): LocalOutages {
  let current: { readonly of: OutageOf; refused: number } | undefined;
  const isOut = (of: OutageOf): boolean => current?.of === of;
  const refuses = (of: OutageOf): boolean => {
    if (current?.of !== of) return false;
    current.refused += 1;
    return true;
  };
  return {
    isOut,
    isSilent: (service) => service === "dynamodb" && refuses("table"),
    cutting:
      (handle) =>
      async (...args) => {
        if (refuses("functions")) return cut;
        const response = await handle(...args);
        // The outage may have begun while the function ran, which has ended it.
        return refuses("functions") ? cut : response;
      },
    begin(of, ended) {
      if (current) throw new FleetError("outage", `There is an outage of ${current.of} already`);
      const begun = { of, refused: 0 };
      current = begun;
      return {
        refused: () => begun.refused,
        end() {
          if (current !== begun) return;
          current = undefined;
          ended();
        },
      };
    },
  };
}
