import { FleetError } from "../../model/fleet-error.ts";

/** Returns the result of an API call. If the API does not have the thing, throws a FleetError with advice for the user. */
export async function advised<T>(result: Promise<T>, advice: string): Promise<T> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof FleetError && error.code === "not-found") throw new FleetError(error.code, advice, { cause: error });
    throw error;
  }
}
