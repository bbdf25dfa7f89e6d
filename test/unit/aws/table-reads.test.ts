import { afterEach, describe, expect, test, vi } from "vitest";
import { getItems, type TableAccess } from "../../../lib/aws/table/access.ts";
import { createJobReader } from "../../../lib/aws/table/jobs/job-reader.ts";

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
