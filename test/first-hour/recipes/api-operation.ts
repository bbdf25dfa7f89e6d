import type { Check, Step } from "./plant.ts";

const recipe = "Add an API operation";
const compiler = (about: string): Check => ({ by: "compiler", about });
const cases: Check = {
  by: "test",
  file: "test/unit/api/operations.test.ts",
  name: "every operation of the document has cases with good and with bad input",
};

const me = 'import { Me } from "../../api/views/me.ts";';

/** The recipe for a dummy operation, `GET /motto`, that a command uses. A step is split by the files that it changes. */
export const apiOperationSteps: readonly Step[] = [
  {
    recipe,
    item: 1,
    what: "add the schema of its response",
    edits: [
      {
        file: "lib/api/views/motto.ts",
        add: `import * as z from "zod";

export const Motto = z.object({ motto: z.string() }).meta({ id: "Motto" });
export type Motto = z.infer<typeof Motto>;
`,
      },
    ],
    demandedBy: compiler("lib/api/operations/motto.ts"),
  },
  {
    recipe,
    item: 2,
    what: "define it",
    edits: [
      {
        file: "lib/api/operations/motto.ts",
        add: `import { success } from "../http/response.ts";
import { noBody, operation } from "../http/operation.ts";
import { Motto } from "../views/motto.ts";
import { noParams, noQuery } from "./path.ts";

export const getMotto = operation({
  id: "getMotto",
  method: "get",
  path: "/motto",
  summary: "Returns the motto",
  params: noParams,
  query: noQuery,
  body: noBody,
  responses: { schema: Motto, statuses: { 200: "The motto" } },
  problems: [],
  handle: async ({ motto }) => success({ motto }),
});
`,
      },
    ],
    demandedBy: compiler("lib/api/operations.ts"),
  },
  {
    recipe,
    item: 3,
    what: "list it",
    edits: [
      {
        file: "lib/api/operations.ts",
        before: 'import { nodeOperations } from "./operations/nodes.ts";',
        add: 'import { getMotto } from "./operations/motto.ts";\n',
      },
      { file: "lib/api/operations.ts", before: "  ...jobOperations,", add: "getMotto,\n" },
    ],
    demandedBy: cases,
  },
  {
    recipe,
    item: 3,
    what: "add what it needs",
    edits: [{ file: "lib/api/http/deps.ts", before: "    readonly fleet: {", add: "readonly motto: string;\n" }],
    demandedBy: compiler("lib/api/operations/motto.ts"),
  },
  {
    recipe,
    item: 3,
    what: "wire it",
    edits: [{ file: "lib/runtime/wire/api.ts", before: "    poolNodes: createPoolNodes(table),", add: 'motto: "on time",\n' }],
    demandedBy: compiler("lib/runtime/wire/api.ts"),
  },
  {
    recipe,
    item: 3,
    what: "give it to the API of tests",
    edits: [{ file: "test/unit/api/api-world.ts", before: "      places: {", add: 'motto: "on time",\n' }],
    demandedBy: compiler("test/unit/api/api-world.ts"),
  },
  {
    recipe,
    item: 4,
    what: "add its good and bad cases",
    edits: [
      {
        file: "test/unit/api/operations.test.ts",
        before: "  submitJob: [",
        add: 'getMotto: [["/v1/motto", 200], ["/v1/motto?loud=1", 400]],\n',
      },
    ],
    demandedBy: cases,
  },
  {
    recipe,
    item: 5,
    what: "call it",
    edits: [
      { file: "lib/cli/session/fleet-api.ts", before: `${me}\n`, add: 'import { Motto } from "../../api/views/motto.ts";\n' },
      { file: "lib/cli/session/fleet-api.ts", before: "  me(): Promise<Me>;", add: "motto(): Promise<Motto>;\n" },
      {
        file: "lib/cli/session/fleet-api.ts",
        before: "  me: () => call(Me,",
        add: 'motto: () => call(Motto, { method: "GET", path: "/v1/motto" }),\n',
      },
    ],
    demandedBy: compiler("lib/cli/commands/motto.ts"),
  },
  {
    recipe,
    item: 5,
    what: "write its command",
    edits: [
      {
        file: "lib/cli/commands/motto.ts",
        add: `import { exitCodes } from "../invocation/exit.ts";
import type { Context } from "../session/context.ts";

/** Prints the motto. */
export async function motto({ connection, console }: Pick<Context, "connection" | "console">): Promise<number> {
  console.out((await connection.api.motto()).motto);
  return exitCodes.ok;
}
`,
      },
    ],
    demandedBy: compiler("lib/cli/program/fleet.ts"),
  },
  {
    recipe,
    item: 5,
    what: "add the command to the program",
    edits: [
      {
        file: "lib/cli/program/fleet.ts",
        before: '  program\n    .command("nodes")',
        add: `program
    .command("motto")
    .description("print the motto")
    .action(() => run(import("../commands/motto.ts").then(async ({ motto }) => motto(await context()))));\n`,
      },
    ],
    demandedBy: { by: "test", file: "test/unit/cli/motto.test.ts", name: "fleet motto is a command" },
  },
  {
    recipe,
    item: 5,
    what: "add a sample of its response",
    edits: [
      {
        file: "test/unit/cli/api-samples.ts",
        before: 'import { NodeView } from "../../../lib/api/views/nodes.ts";',
        add: 'import { Motto } from "../../../lib/api/views/motto.ts";\n',
      },
      {
        file: "test/unit/cli/api-samples.ts",
        before: "export const aMe = sample(",
        add: 'export const aMotto = sample(Motto, { motto: "on time" });\n',
      },
    ],
    demandedBy: { by: "test", file: "test/unit/cli/motto.test.ts", name: "fleet motto prints the motto" },
  },
  {
    recipe,
    item: 5,
    what: "test the command",
    edits: [
      {
        file: "test/unit/cli/motto.test.ts",
        add: `import { expect, it } from "vitest";
import { motto } from "../../../lib/cli/commands/motto.ts";
import { runFleet } from "../../../lib/cli/program/run.ts";
import { aMotto } from "./api-samples.ts";
import { aContext, startFakeApi } from "./fake-api.ts";
import { aTerminal } from "./streams.ts";

it("fleet motto prints the motto", async () => {
  const api = await startFakeApi({ "GET /v1/motto": { body: aMotto() } });
  const { on, printed } = aContext(api);
  expect(await motto(on)).toBe(0);
  expect(printed.out).toEqual(["on time"]);
  await api.close();
});

it("fleet motto is a command", async () => {
  const { console, written } = aTerminal({ isTTY: false });
  await runFleet({ argv: ["node", "fleet", "motto", "--help"], console });
  expect(written().stdout).toMatch(/^Usage: fleet motto/);
});
`,
      },
    ],
  },
];
