import { afterEach, describe, expect, it } from "vitest";
import { decision, decisions } from "../../../lib/cli/commands/decisions.ts";
import { shortIds } from "../../../lib/cli/views/decision-id.ts";
import { decisionLines } from "../../../lib/cli/views/decision-view.ts";
import { monday } from "../../fakes/builders.ts";
import { aDecisionSummary, aDecisionView, aMe } from "./api-samples.ts";
import { aContext, type FakeApi, type Routes, startFakeApi } from "./fake-api.ts";

let api: FakeApi | undefined;
afterEach(() => api?.close());
const start = async (routes: Routes) => {
  api = await startFakeApi(routes);
  return aContext(api);
};

const one = "20260601-000100.000Z-12dda104-096e-4f08-b854-60fa3064d9a7";
const twin = "20260601-000100.000Z-12ddb205-096e-4f08-b854-60fa3064d9a7";
const other = "20260601-000059.000Z-99999999-096e-4f08-b854-60fa3064d9a7";
const path = "/v1/pools/gpu/decisions";
const pageOf = (...ids: string[]) => ({ body: { items: ids.map((id) => aDecisionSummary({ decision: id })) } });

describe("the id of a decision in a table", () => {
  it("the id of a decision is shortened to its time, or to more characters if the time is not unique", () => {
    expect(shortIds([one, other]).get(one)).toBe("20260601-000100.000Z");
    expect([...shortIds([one, twin]).values()]).toEqual(["20260601-000100.000Z-12dda", "20260601-000100.000Z-12ddb"]);
    expect(shortIds([one, one]).get(one)).toBe("20260601-000100.000Z");
  });

  it("fleet decisions shortens ids in the table, and prints whole ids as JSON", async () => {
    const { on, printed } = await start({ [`GET ${path}`]: pageOf(one, other) });
    await decisions({ pool: "gpu", limit: 5 }, on);
    expect(printed.out.slice(1).map((line) => line.split(" ")[0])).toEqual(["20260601-000100.000Z", "20260601-000059.000Z"]);
    await decisions({ pool: "gpu", limit: 5, json: true }, on);
    expect(printed.out.at(-1)).toContain(one);
  });
});

describe("fleet decision with a beginning of an id", () => {
  it("fleet decision shows the decision that a beginning of an id names", async () => {
    const { on, printed } = await start({
      [`GET ${path}`]: pageOf(one, other),
      [`GET ${path}/${one}`]: { body: aDecisionView({ decision: one }) },
    });
    expect(await decision("20260601-000100.000Z", { pool: "gpu" }, on)).toBe(0);
    expect(printed.out[0]).toBe(`decision   ${one} of pool gpu`);
    expect(api?.calls.find(({ path: called }) => called === path)?.query["cursor"]).toBe(`20260601-000100.000Z-${"z".repeat(36)}`);
    expect(await decision("20260601-0001", { pool: "gpu" }, on)).toBe(0);
    expect(api?.calls.at(-2)?.query["cursor"]).toBe(`20260601-000159.999Z-${"z".repeat(36)}`);
  });

  it("fleet decision refuses an ambiguous beginning of an id, and names the decisions", async () => {
    const { on } = await start({ [`GET ${path}`]: pageOf(twin, one) });
    await expect(decision("20260601-000100.000Z", { pool: "gpu" }, on)).rejects.toThrow(
      `20260601-000100.000Z could be one of several decisions:\n  ${twin} of pool gpu\n  ${one} of pool gpu`,
    );
  });

  it.each([
    [10, ""],
    [11, "\n  and more"],
  ])("fleet decision asks for 11 decisions, and of %i with the same beginning it names the first ten", async (count, more) => {
    const ids = Array.from({ length: count }, (_, n) => `20260601-000100.000Z-${10 + n}dda104-096e-4f08-b854-60fa3064d9`);
    const { on } = await start({ [`GET ${path}`]: pageOf(...ids) });
    const named = ids.slice(0, 10).map((id) => `\n  ${id} of pool gpu`);
    const failure = decision("20260601-000100.000Z", { pool: "gpu" }, on);
    await expect(failure).rejects.toMatchObject({
      message: `20260601-000100.000Z could be one of several decisions:${named.join("")}${more}`,
    });
    expect(api?.calls.at(-1)?.query["limit"]).toBe("11");
  });

  it("fleet decision searches every pool that the caller may use, and continues after an empty page", async () => {
    const empty = { body: { items: [], cursor: "20260601-000100" } };
    const { on, printed } = await start({
      "GET /v1/me": { body: aMe({ pools: ["big", "gpu"] }) },
      "GET /v1/pools/big/decisions": { body: { items: [] } },
      [`GET ${path}`]: [empty, pageOf(one)],
      [`GET ${path}/${one}`]: { body: aDecisionView({ decision: one }) },
    });
    expect(await decision("20260601-000100.000Z-12dd", {}, on)).toBe(0);
    expect(printed.out[0]).toContain(one);
  });

  it("fleet decision stops if there is no such decision, whatever the API's pages say", async () => {
    const { on } = await start({ [`GET ${path}`]: { body: { items: [], cursor: "20260601-000100" } } });
    await expect(decision("20260601-000100.000Z", { pool: "gpu" }, on)).rejects.toThrow(
      /there is no decision 20260601-000100\.000Z in gpu/,
    );
    await expect(decision("yesterday", { pool: "gpu" }, on)).rejects.toThrow(/there is no decision yesterday in gpu/);
  });
});

describe("a decision in words", () => {
  it("a decision in words joins jobs that wait for the same reason", () => {
    const hold = (job: string, because: string) => ({
      kind: "hold",
      team: "research",
      job,
      attempt: 1,
      nodes: [],
      because,
      outcome: "done: done",
    });
    const taken = [...["a", "b", "c", "d", "e"].map((job) => hold(job, "no capacity")), hold("f", "no budget")];
    expect(decisionLines(aDecisionView({ taken }), monday + 60_000).slice(-6)).toEqual([
      "  1. let research/a (attempt 1), research/b (attempt 1), research/c (attempt 1) and 2 more jobs wait",
      "     because no capacity",
      "     → done",
      "  6. let research/f (attempt 1) wait",
      "     because no budget",
      "     → done",
    ]);
  });

  it("a decision in words names up to three jobs that wait for the same reason", () => {
    const hold = (job: string, outcome = "done: done") => ({ kind: "hold", team: "research", job, nodes: [], because: "no GPU", outcome });
    const inWords = (...taken: object[]) => decisionLines(aDecisionView({ taken }), monday).filter((line) => line.includes("let "));
    expect(inWords(hold("a"), hold("b"), hold("c"))).toEqual(["  1. let research/a, research/b, research/c wait"]);
    expect(inWords(hold("a"), hold("b"), hold("c"), hold("d"))).toEqual([
      "  1. let research/a, research/b, research/c and 1 more job wait",
    ]);
    expect(inWords(hold("a"), hold("b", "failed"), hold("c"))).toEqual([
      "  1. let research/a wait",
      "  2. let research/b wait",
      "  3. let research/c wait",
    ]);
  });

  it("a decision in words names a few of the types that EC2 chooses from", () => {
    const launch = {
      market: "spot",
      instanceTypes: ["a", "b", "c", "d", "e"],
      nodes: 1,
      reserved: { usdPerHour: 16.288, gpus: 8 },
      jobs: 1,
    };
    const [, line] = decisionLines(aDecisionView({ taken: [{ kind: "launch", nodes: [], launch }] }), monday).slice(-2);
    expect(line).toBe("  1. ask EC2 for 1 spot node for 1 job: a or b or c or 2 more (reserves $16.29/h, 8 GPUs)");
  });
});
