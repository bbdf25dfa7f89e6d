import { createHash } from "node:crypto";
import { afterEach, describe, expect, test, vi } from "vitest";
import { getItems, type TableAccess } from "../../../lib/aws/table/access.ts";
import { createJobReader } from "../../../lib/aws/table/jobs/job-reader.ts";
import { createCatalogueStore } from "../../../lib/aws/table/pools/catalogue-store.ts";
import { createDecisions } from "../../../lib/aws/table/pools/decisions.ts";
import { anOffer, aType, monday } from "../../fakes/builders.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** A table whose responses are given, and which remembers the requests. */
function tableThat(...responses: readonly object[]) {
  const requests: Record<string, unknown>[] = [];
  const send = async ({ input }: { input: Record<string, unknown> }): Promise<object> => {
    requests.push(input);
    return responses[requests.length - 1] ?? {};
  };
  return { requests, access: { table: "t", client: { send } } as unknown as TableAccess };
}

describe("reading many items", () => {
  const keys = [
    { pk: "a", sk: "1" },
    { pk: "b", sk: "1" },
  ];
  const left = { UnprocessedKeys: { t: { Keys: keys } } };

  test("reading many items pauses only if a response has none of those that are still left", async () => {
    const random = vi.spyOn(Math, "random").mockReturnValue(0);
    await getItems(tableThat({}).access, keys);
    expect(random).not.toHaveBeenCalled();
    await getItems(tableThat({ Responses: { t: [{ pk: "a" }] }, ...left }, {}).access, keys);
    expect(random).not.toHaveBeenCalled();
    await getItems(tableThat(left, {}).access, keys);
    expect(random).toHaveBeenCalledTimes(1);
  });

  test("reading many items gives up after ten responses without any", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const { access, requests } = tableThat(...new Array(20).fill(left));
    await expect(getItems(access, keys)).rejects.toMatchObject({ code: "table-busy", retry: true });
    expect(requests).toHaveLength(10);
  });
});

test("a decision reads nothing that may be out of date", async () => {
  const { access, requests } = tableThat();
  const decisions = createDecisions(access);
  await decisions.load("gpu", monday);
  await decisions.waiting("gpu", monday);
  await decisions.isCurrent({ pool: "gpu", epoch: 1 });
  expect(requests.length).toBeGreaterThan(10);
  const isConsistent = (input: Record<string, unknown>): boolean => {
    const { ConsistentRead, RequestItems } = input as { ConsistentRead?: boolean; RequestItems?: Record<string, typeof input> };
    return RequestItems ? Object.values(RequestItems).every(isConsistent) : ConsistentRead === true;
  };
  expect(requests.filter((input) => !isConsistent(input))).toEqual([]);
});

describe("a catalogue", () => {
  /** A catalogue whose packed form has about this many bytes, because digests cannot be compressed below half of their length. */
  const catalogueOf = (bytes: number) => {
    const type = aType();
    const digest = (n: number): string => createHash("sha256").update(String(n)).digest("base64");
    const offers = Array.from({ length: Math.round(bytes / 34) }, (_, n) => anOffer({ zone: digest(n), usdPerHour: 1 }));
    return { types: [type], offers, refreshedAtMs: monday };
  };

  test("a catalogue that would not fit into an item is refused, and a somewhat smaller one is stored", async () => {
    const { access, requests } = tableThat();
    const store = createCatalogueStore(access);
    const sizeOf = (request: Record<string, unknown> | undefined) => ((request?.["Item"] as { gz?: Uint8Array })?.gz ?? []).length;
    await store.put("gpu", catalogueOf(370_000));
    expect(sizeOf(requests[0])).toBeGreaterThan(300_000);
    expect(sizeOf(requests[0])).toBeLessThan(400_000);
    await expect(store.put("gpu", catalogueOf(450_000))).rejects.toMatchObject({ code: "catalogue-size" });
    expect(requests).toHaveLength(1);
  });
});

describe("a list of jobs", () => {
  const job = (n: number) => ({
    pk: `J#vision#j${n}`,
    sk: "STATE",
    team: "vision",
    job: `j${n}`,
    pool: "gpu",
    state: "succeeded",
    attempt: 1,
    failures: 0,
    submittedAtMs: n,
    submitted: String(n),
    bodyHash: "0".repeat(64),
  });
  const more = { LastEvaluatedKey: { pk: "x", sk: "y", teamDay: "vision#2026-06-01", submitted: "000000000000001#j1" } };
  const days = { Items: [{ sk: "2026-06-01" }] };

  test("a list without a filter asks for one job more than are still missing", async () => {
    const { access, requests } = tableThat(days, { Items: [job(9), job(8)], ...more }, { Items: [job(7)], ...more }, { Items: [] });
    expect((await createJobReader(access).list({ team: "vision", limit: 5 })).jobs).toHaveLength(3);
    expect(requests.map((input) => input["Limit"])).toEqual([41, 6, 4, 3]);
  });

  test("a list with a filter asks for whole pages, because few of them may match", async () => {
    const { access, requests } = tableThat(days, { Items: [] });
    await createJobReader(access).list({ team: "vision", limit: 5, states: ["failed"] });
    expect(requests.map((input) => input["Limit"])).toEqual([41, 1_000]);
  });
});
