import { Fault } from "../../model/fleet-error.ts";

/** Makes a Fault for an archive that would be refused on every try. */
export const refused = (why: string): Fault => new Fault("archive", `the code archive was refused: ${why}`);
