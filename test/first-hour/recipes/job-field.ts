import type { Check, Step } from "./plant.ts";

const recipe = "Add a job field";
const compiler = (about: string): Check => ({ by: "compiler", about });
const test = (file: string, name: string): Check => ({ by: "test", file, name });

const jobTest = "test/unit/events/job.test.ts";
const optionsTest = "test/unit/cli/job-options.test.ts";
const wantsTest = "test/unit/aws/stored-wants.test.ts";
const smallest = test(jobTest, "the smallest job message gets one GPU, a day of run time and no retries");
const everyOption = test(optionsTest, "every option of submit sets its field of the job");

const endOfMessage = '  } satisfies Readonly<Record<"id" | keyof JobSpec';
const endOfStored = "} satisfies Readonly<Record<keyof JobSpec";
const message = (label: string, avoidZones: string): Step["edits"] => [
  { file: "events/job.ts", before: endOfMessage, add: `label: ${label},\navoidZones: ${avoidZones},\n` },
];
const stored = (avoidZones: string): Step["edits"] => [
  { file: "events/stored-spec.ts", before: endOfStored, add: `label: z.string().optional(),\navoidZones: ${avoidZones},\n` },
];
const label = 'z.string().max(40).optional().describe("A word for lists")';
const storedWants = (schema: string): Step["edits"] => {
  const file = "lib/aws/table/items/stored-wants.ts";
  return [
    { file, before: "});\ntype StoredWants", add: `az: ${schema},\n` },
    { file, before: ", datasets, zones }: Wants)", add: ", avoidZones" },
    { file, before: "  z: unlessEmpty(zones),", add: "az: unlessEmpty(avoidZones),\n" },
    { file, before: ", z: zones }: StoredWants)", add: ", az: avoidZones" },
    { file, before: "  zones,\n});", add: "avoidZones,\n" },
  ];
};

/**
 * The recipe for two dummy fields: `label`, a part of the spec that the worker uses, and `avoidZones`, which decides where a job may run.
 * A step is split if it has parts that different checks demand.
 */
export const jobFieldSteps: readonly Step[] = [
  {
    recipe,
    item: 1,
    what: "add it to JobMessage",
    edits: message(label, 'z.array(Zone).max(10).default([]).describe("The zones that it refuses")'),
    demandedBy: compiler("events/job.ts"),
  },
  {
    recipe,
    item: 1,
    what: "give it a default in JobMessage",
    edits: [],
    omitted: { step: "add it to JobMessage", edits: message(label, 'z.array(Zone).max(10).describe("The zones that it refuses")') },
    demandedBy: smallest,
  },
  {
    recipe,
    item: 1,
    what: "give it a limit in JobMessage",
    edits: [],
    omitted: { step: "add it to JobMessage", edits: message(label, 'z.array(Zone).default([]).describe("The zones that it refuses")') },
    demandedBy: test(jobTest, "every field of a job message has a limit and a description in the field table"),
  },
  {
    recipe,
    item: 1,
    what: "describe it in JobMessage",
    edits: [],
    omitted: { step: "add it to JobMessage", edits: message(label, "z.array(Zone).max(10).default([])") },
    demandedBy: test(jobTest, "every field of a job message has a limit and a description in the field table"),
  },
  {
    recipe,
    item: 1,
    what: "add it to StoredSpec",
    edits: stored("z.array(z.string()).default([])"),
    demandedBy: compiler("events/stored-spec.ts"),
  },
  {
    recipe,
    item: 1,
    what: "give it a default in StoredSpec",
    edits: [],
    omitted: { step: "add it to StoredSpec", edits: stored("z.array(z.string())") },
    demandedBy: test(jobTest, "a job that the first release stored can still be read"),
  },
  {
    recipe,
    item: 2,
    what: "add it to JobSpec",
    edits: [{ file: "lib/model/job.ts", before: "  readonly retries: number;", add: "readonly label?: string | undefined;\n" }],
    demandedBy: compiler("events/job.ts"),
  },
  {
    recipe,
    item: 3,
    what: "add it to Wants",
    edits: [
      { file: "lib/model/wants.ts", before: "  readonly zones: readonly string[];", add: "readonly avoidZones: readonly string[];\n" },
    ],
    demandedBy: compiler("events/job.ts"),
  },
  {
    recipe,
    item: 3,
    what: "say which places meet it",
    edits: [
      {
        file: "lib/model/wants.ts",
        before: "};\nconst names = Object.keys(conditions)",
        add: `avoidZones: {
    key: (zones = []) => (zones.length === 0 ? "" : JSON.stringify(zones.toSorted())),
    isMet: (zones = [], place) => !zones.includes(place.zone),
    inWords: (zones = []) => (zones.length === 0 ? "" : \`not in \${listed(zones)}\`),
    onlySold: () => 'offers in other zones only; change "avoidZones"',
    reason: "it refuses the zone",
    change: "the zone not among those that it avoids",
  },\n`,
      },
    ],
    demandedBy: compiler("lib/model/wants.ts"),
  },
  {
    recipe,
    item: 3,
    what: "keep it among a job's wants",
    edits: [
      { file: "lib/model/wants.ts", before: ", zones }: Wants): Wants =>", add: ", avoidZones" },
      { file: "lib/model/wants.ts", before: ", zones });\n\n/** Returns the wants of a job's message", add: ", avoidZones" },
    ],
    demandedBy: compiler("lib/model/wants.ts"),
  },
  {
    recipe,
    item: 3,
    what: "store it",
    edits: storedWants("z.array(z.string()).default([])"),
    demandedBy: compiler("lib/aws/table/items/stored-wants.ts"),
  },
  {
    recipe,
    item: 3,
    what: "give it a default in its stored form",
    edits: [],
    omitted: { step: "store it", edits: storedWants("z.array(z.string())") },
    demandedBy: test(wantsTest, "wants that the first release stored can still be read"),
  },
  {
    recipe,
    item: 4,
    what: "pass it to the job's program",
    edits: [
      { file: "lib/worker/run/job-environment.ts", before: ' | "artifacts">', add: ' | "label"' },
      {
        file: "lib/worker/run/job-environment.ts",
        before: "  ...(data === undefined ?",
        add: "...(order.spec.label === undefined ? {} : { FLEETWRIGHT_LABEL: order.spec.label }),\n",
      },
    ],
    demandedBy: test("test/unit/worker/label.test.ts", "a job's program gets its label"),
  },
  {
    recipe,
    item: 5,
    what: "make it an option",
    edits: [
      {
        file: "lib/cli/jobs/job-options.ts",
        before: "  readonly zone?:",
        add: "readonly label?: string | undefined;\nreadonly avoidZone?: readonly string[] | undefined;\n",
      },
      {
        file: "lib/cli/jobs/job-options.ts",
        before: "    zones: options.zone,",
        add: "label: options.label,\navoidZones: options.avoidZone,\n",
      },
      { file: "lib/cli/jobs/job-options.ts", before: '  zones: "--zone",', add: 'avoidZones: "--avoid-zone",\n' },
    ],
    demandedBy: everyOption,
  },
  {
    recipe,
    item: 5,
    what: "let fleet submit accept the option",
    edits: [
      {
        file: "lib/cli/program/submit.ts",
        before: '    .option("--env <name=value>"',
        add: '.option("--label <word>", "a word for lists").option("--avoid-zone <zone>", "a zone that it refuses; may be repeated", each)\n',
      },
    ],
    demandedBy: test(optionsTest, "fleet submit accepts every option that sets a field of the job"),
  },
  {
    recipe,
    item: 6,
    what: "add it to the sample",
    edits: [{ file: "events/samples/job-full.json", before: '  "nodes": 2,', add: '"label": "night", "avoidZones": ["us-east-1c"],\n' }],
    demandedBy: test("test/unit/events/samples.test.ts", "the sample job-full has every field of a job message"),
  },
  { recipe, item: 6, what: "generate", edits: [], demandedBy: { by: "generated" } },
  {
    recipe,
    item: 7,
    what: "add it to the builder of specs",
    edits: [{ file: "test/fakes/builders.ts", before: "  zones: [],\n  ...over,", add: "avoidZones: [],\n" }],
    demandedBy: compiler("test/fakes/builders.ts"),
  },
  {
    recipe,
    item: 7,
    what: "test its default",
    edits: [{ file: jobTest, before: "    zones: [],\n  });", add: "avoidZones: [],\n" }],
    demandedBy: smallest,
  },
  {
    recipe,
    item: 7,
    what: "test its option",
    edits: [
      { file: optionsTest, before: '  zone: ["us-east-1a"],', add: 'label: "night",\navoidZone: ["us-east-1c"],\n' },
      { file: optionsTest, before: '    zones: ["us-east-1a"],', add: 'label: "night",\navoidZones: ["us-east-1c"],\n' },
    ],
    demandedBy: everyOption,
  },
  {
    recipe,
    item: 7,
    what: "draw it for the body hash",
    edits: [
      {
        file: "test/property/body-hash.test.ts",
        before: "} satisfies { [field in",
        add: 'label: word,\navoidZones: fc.array(fc.constantFrom("us-east-1c"), { maxLength: 1 }),\n',
      },
    ],
    demandedBy: compiler("test/property/body-hash.test.ts"),
  },
  {
    recipe,
    item: 7,
    what: "draw it among wants",
    edits: [
      { file: "test/property/wants.test.ts", before: "  zones: fc.uniqueArray(zone),", add: "avoidZones: fc.uniqueArray(zone),\n" },
      { file: "test/property/wants.test.ts", before: "  zones: of.zones.toSorted(),", add: "avoidZones: of.avoidZones.toSorted(),\n" },
    ],
    demandedBy: compiler("test/property/wants.test.ts"),
  },
  {
    recipe,
    item: 7,
    what: "test its stored form",
    edits: [
      { file: wantsTest, before: '    zones: ["us-east-1a"],', add: 'avoidZones: ["us-east-1c"],\n' },
      { file: wantsTest, before: "    zones: [],", add: "avoidZones: [],\n" },
    ],
    demandedBy: compiler(wantsTest),
  },
  {
    recipe,
    item: 7,
    what: "test its behaviour",
    edits: [
      {
        file: "test/unit/worker/label.test.ts",
        add: `import { expect, test } from "vitest";
import { aboutAttempt } from "../../../lib/worker/run/job-environment.ts";

test("a job's program gets its label", () => {
  const order = { team: "research", job: "train-7", attempt: 1, spec: { env: {}, artifacts: [], label: "night" } };
  expect(aboutAttempt(order, undefined)).toMatchObject({ FLEETWRIGHT_LABEL: "night" });
});
`,
      },
    ],
  },
];
