import { describe, expect, it } from "vitest";
import { type ListedObject, ShardSorter } from "../../../lib/aws/datasets/shard-sorter.ts";

const source = { bucket: "data", prefix: "team/set/" };
const object = (path: string, over: Partial<ListedObject> = {}): ListedObject => ({
  key: `${source.prefix}${path}`,
  bytes: 1,
  etag: "e",
  ...over,
});

/** Sorts objects that are added in S3's order of keys. */
const sorted = (...objects: readonly ListedObject[]) => {
  const sorter = new ShardSorter(source);
  for (const each of [...objects].sort((a, b) => (a.key < b.key ? -1 : 1))) sorter.add(each);
  const { shards, skipped } = sorter.sorted();
  return { paths: shards.map(({ key }) => key.slice(source.prefix.length)), skipped, objects: sorter.objects };
};

describe("a source's objects", () => {
  it("objects become shards, and folder markers are ignored", () => {
    expect(sorted(object("a"), object("b/", { bytes: 0 }), object("b/c"))).toEqual({ paths: ["a", "b/c"], skipped: undefined, objects: 2 });
  });

  it.each([
    ["an empty part", "a//b", /empty part/],
    ["a slash at its beginning", "/b", /empty part/],
    ["a slash at its end, although it has content", "a/", /empty part/],
    ["a part that leads upwards", "a/../b", /'\.\.'/],
    ["a part that is a dot", "./b", /'\.'/],
    ["a NUL", "a\0b", /NUL/],
    ["a part that is too long for a file's name", "é".repeat(128), /255 bytes/],
  ])("an object whose key has %s is skipped and named", (_what, path, because) => {
    const { paths, skipped } = sorted(object(path), object("good"));
    expect(paths).toEqual(["good"]);
    expect(skipped).toEqual({ objects: 1, examples: [{ key: `${source.prefix}${path}`, because: expect.stringMatching(because) }] });
  });

  it("an archived object is skipped, and named with what to do about it", () => {
    const { paths, skipped } = sorted(object("new"), object("old", { archived: "GLACIER" }));
    expect(paths).toEqual(["new"]);
    expect(skipped?.examples[0]?.because).toBe("is archived (GLACIER); restore it, and add the dataset again");
  });

  it("a file with the name of a folder is skipped, and the folder's files are kept, whatever their order", () => {
    expect(sorted(object("a"), object("a/b"), object("a/c"), object("a-b")).paths).toEqual(["a-b", "a/b", "a/c"]);
    expect(sorted(object("x/a"), object("x/a/b/c"), object("x/a/b")).paths).toEqual(["x/a/b/c"]);
    expect(sorted(object("a"), object("a/b")).skipped).toEqual({
      objects: 1,
      examples: [{ key: "team/set/a", because: "is a file where other keys have a folder" }],
    });
  });

  it("a file with the name of a folder is kept if nothing in the folder can be read", () => {
    expect(sorted(object("a"), object("a/b", { archived: "GLACIER" })).paths).toEqual(["a"]);
  });

  it("all skipped objects are counted, and at most 20 are named with shortened keys", () => {
    const { skipped, objects } = sorted(...Array.from({ length: 1_000 }, (_, n) => object(`//${n}${"é".repeat(400)}`)));
    expect(skipped?.objects).toBe(1_000);
    expect(objects).toBe(1_000);
    expect(skipped?.examples).toHaveLength(20);
    expect(Math.max(...(skipped?.examples ?? []).map(({ key }) => [...key].length))).toBe(201);
  });
});
