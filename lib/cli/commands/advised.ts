import { Fault } from "../../model/fault.ts";

/** What the API answers, or, for what it does not have, a Fault that says where to look. */
export async function advised<T>(answer: Promise<T>, advice: string): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Fault && error.code === "not-found") throw new Fault(error.code, advice, { cause: error });
    throw error;
  }
}
