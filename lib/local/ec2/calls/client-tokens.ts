import type { HttpResponse } from "../../requests/http.ts";
import { Ec2Error } from "../../requests/query-protocol.ts";

/**
 * EC2's memory of calls with a client token. A call with the same token and the same arguments returns the first call's response,
 * even if the first call is still in progress. A call that failed as a whole is forgotten.
 */
export type ClientTokens = {
  once(form: URLSearchParams, region: string, act: () => Promise<HttpResponse>): Promise<{ response: HttpResponse; replayed: boolean }>;
};

export function createClientTokens(): ClientTokens {
  const known = new Map<string, { readonly args: string; readonly response: Promise<HttpResponse> }>();
  return {
    async once(form, region, act) {
      const token = form.get("ClientToken");
      if (token === null) return { response: await act(), replayed: false };
      if (!/^[\x21-\x7e ]{1,64}$/.test(token)) throw new Ec2Error("InvalidParameterValue", "A client token is 1 to 64 ASCII characters");
      const key = `${form.get("Action")}/${region}/${token}`;
      const args = canonical(form);
      const before = known.get(key);
      if (before && before.args !== args) {
        throw new Ec2Error(
          "IdempotentParameterMismatch",
          "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
        );
      }
      if (before) return { response: await before.response, replayed: true };
      const response = act();
      known.set(key, { args, response });
      try {
        return { response: await response, replayed: false };
      } catch (error) {
        known.delete(key);
        throw error;
      }
    },
  };
}

const canonical = (form: URLSearchParams): string =>
  [...form]
    .filter(([name]) => name !== "ClientToken")
    .map(([name, value]) => JSON.stringify([name, value]))
    .sort()
    .join();
