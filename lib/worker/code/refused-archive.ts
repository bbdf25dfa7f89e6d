import { Fault } from "../../model/fault.ts";

/** A fault of the archive itself, which no other try mends. */
export const refused = (why: string): Fault => new Fault("archive", `the code archive was refused: ${why}`);
