export const isStorm = process.env["MODE"] === "storms";

/** Returns how many runs a property gets: a fiftieth with `npm test`, all with `npm run test:storms`, which CI runs. */
export const stormRuns = (all: number): number => (isStorm ? all : Math.ceil(all / 50));
