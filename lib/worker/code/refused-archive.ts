import { FleetError } from "../../model/fleet-error.ts";

/** Makes a FleetError for an archive that would be refused on every try. */
export const refused = (why: string): FleetError => new FleetError("archive", `the code archive was refused: ${why}`);
