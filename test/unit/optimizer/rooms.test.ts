import { describe, expect, test } from "vitest";
import type { FreeNode, JobNeed, Supply } from "../../../lib/optimizer/problem/problem.ts";
import { boundGang, cheapestFor, holdsOne } from "../../../lib/optimizer/search/gangs.ts";
import { give, hasRoom, needOf, restOf, roomsOf, takes } from "../../../lib/optimizer/search/rooms.ts";
import { freeNode as node } from "./free-node.ts";

const gpu = { model: "t4", memoryGiB: 16 };
const roomOf = (of: FreeNode) => {
  const [room] = roomsOf([of]);
  if (!room) throw new Error("no room");
  return room;
};
const job = (size: readonly number[], count?: number): JobNeed => ({ size, ...(count === undefined ? {} : { gpu: { count } }) });

describe("the room of a node", () => {
  test("rooms are sorted by the names of their nodes", () => {
    expect(roomsOf([node("b", [1]), node("c", [1]), node("a", [1])]).map((room) => room.node.name)).toEqual(["a", "b", "c"]);
  });

  test("a job fits if it needs no more than there is, in each dimension", () => {
    const room = roomOf(node("n", [4, 8]));
    expect([job([4, 8]), job([4.001, 8]), job([4, 8.001])].map((each) => hasRoom(room, needOf(each)))).toEqual([true, false, false]);
  });

  test("a job with GPUs needs as many untouched ones, and a share needs one with as much left", () => {
    const room = roomOf(node("n", [9], { gpu, gpusFree: [1, 0.5, 1, 0.25] }));
    const fits = (count: number): boolean => hasRoom(room, needOf(job([1], count)));
    expect([fits(1), fits(2), fits(3), fits(0.5), fits(0.9)]).toEqual([true, true, false, true, true]);
    const touched = roomOf(node("n", [9], { gpu, gpusFree: [0.5, 0.25] }));
    expect([0.5, 0.51, 1].map((count) => hasRoom(touched, needOf(job([1], count))))).toEqual([true, false, false]);
    expect(takes(room, { ...job([1], 1), zones: ["other"] }, needOf(job([1], 1)))).toBe(false);
  });

  test("a share goes to the GPU where it leaves least, and whole GPUs to the first untouched ones", () => {
    const room = roomOf(node("n", [9], { gpu, gpusFree: [1, 0.5, 0.25, 1, 1] }));
    give(room, needOf(job([2], 0.25)));
    expect(restOf(room)).toMatchObject({ room: [7], gpusFree: [1, 0.5, 0, 1, 1] });
    give(room, needOf(job([1], 0.5)));
    give(room, needOf(job([1], 2)));
    expect(restOf(room)).toMatchObject({ room: [5], gpusFree: [0, 0, 0, 0, 1] });
    give(room, needOf(job([5])));
    expect(restOf(room)).toMatchObject({ name: "n", room: [0], gpusFree: [0, 0, 0, 0, 1] });
  });
});

describe("a gang", () => {
  const gang = (nodes: number, size = 2) => ({ names: ["g"], size: [size], nodes });
  const chosen = (of: ReturnType<typeof gang>, ...nodes: readonly FreeNode[]) => {
    const rooms = roomsOf(nodes);
    const found = boundGang(of, rooms)?.map((room) => room.node.name);
    return { found, left: rooms.map((room) => restOf(room).room[0]) };
  };

  test("a gang goes to nodes of one type, zone and market that have least to spare, and takes its room there", () => {
    const [wide, tight] = [{ type: "wide" }, { type: "tight" }];
    const nodes = [node("a", [9], wide), node("b", [9], wide), node("c", [2], tight), node("d", [2], tight), node("e", [2], tight)];
    expect(chosen(gang(2), ...nodes)).toEqual({ found: ["c", "d"], left: [9, 9, 0, 0, 2] });
    expect(chosen(gang(2, 3), ...nodes)).toEqual({ found: ["a", "b"], left: [6, 6, 2, 2, 2] });
    expect(chosen(gang(4), ...nodes)).toEqual({ found: undefined, left: [9, 9, 2, 2, 2] });
  });

  test("of groups with as much to spare, the first by name is taken", () => {
    expect(chosen(gang(1), node("a", [4], { zone: "y" }), node("b", [4], { zone: "x" })).found).toEqual(["b"]);
  });

  test.each<[string, Partial<FreeNode>]>([
    ["types", { type: "other" }],
    ["zones", { zone: "other" }],
    ["markets", { market: "reserved" }],
  ])("a gang is not spread over nodes of different %s", (_, over) => {
    expect(chosen(gang(2), node("a", [4]), node("b", [4], over)).found).toBeUndefined();
  });

  const offer = (name: string, usdPerHour: number, over: Partial<Supply> = {}): Supply => ({
    ...{ name, usdPerHour, type: "t", zone: "z", market: "on-demand", capacity: [4] },
    ...over,
  });
  const priceOf = ({ usdPerHour }: Supply): number => usdPerHour;

  test("a gang gets the cheapest offer that holds a member and has enough nodes, and of equals the first by name", () => {
    const offers = [
      offer("small", 1, { capacity: [1] }),
      offer("few", 2, { most: 1 }),
      offer("dear", 4),
      offer("b", 3, { most: 2 }),
      offer("a", 3),
    ];
    expect(cheapestFor(gang(2), offers, priceOf)?.name).toBe("a");
    expect(cheapestFor(gang(2), offers.slice(0, -1), priceOf)?.name).toBe("b");
    expect(cheapestFor(gang(3), offers.slice(0, -1), priceOf)?.name).toBe("dear");
    expect(cheapestFor(gang(1), offers, priceOf)?.name).toBe("few");
    expect(cheapestFor(gang(1, 5), offers, priceOf)).toBeUndefined();
  });

  test("an offer holds a job that needs exactly what it has, and no more", () => {
    const four = offer("o", 1, { gpu: { ...gpu, count: 2 } });
    expect([job([4], 2), job([4.001], 2), job([4], 3)].map((each) => holdsOne(each, four))).toEqual([true, false, false]);
    expect(holdsOne(job([4], 1), offer("o", 1))).toBe(false);
    expect(holdsOne({ size: [4, 1] }, offer("o", 1))).toBe(false);
  });
});
