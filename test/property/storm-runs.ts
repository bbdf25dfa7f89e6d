export const isStorm = process.env["MODE"] === "storms";

/** How many runs a property gets: a thirtieth of all with every `npm test`, all of them with `npm run test:storms`, which CI runs. */
export const stormRuns = (all: number): number => (isStorm ? all : Math.ceil(all / 30));
