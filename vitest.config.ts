import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * What mostly waits for processes that it started begins first, beside the files that compute: the whole local cloud, and workers
 * on a node. A process ends, and all that it has imported with it, when the next file is another project's, so each project's
 * other files run one after the other.
 */
class ProjectByProject extends BaseSequencer {
  static readonly order = ["first-hour", "e2e", "waiting", "cdk", "contract", "unit", "property"];
  static readonly waiting = /\/unit\/(?:worker\/(?:worker|worker-on-node|containers|gpu-sampler)|local-ec2\/process-tree)\.test\.ts$/;

  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId, project }: TestSpecification): number =>
      ProjectByProject.order.indexOf(ProjectByProject.waiting.test(moduleId) ? "waiting" : project.name);
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}

const setupFiles = ["test/property/seed.setup.ts", "test/log-lines.setup.ts"];

/** The tests that only `npm run test:storms` runs are in a folder of their own. */
const testsOf = (layer: string, mode: string): string => `test/${layer}/${mode === "storms" ? "storms/" : ""}*.test.ts`;

/**
 * Four files at a time on whatever machine: much of the time is spent waiting for processes that a test started.
 * Those that are Node's find each other's compiled code. Files share what they import (`isolate: false`): no module here keeps
 * state that a test could leave behind, and importing anew for each file takes as long as the tests.
 */
export default defineConfig(({ mode }) => ({
  test: {
    env: {
      NODE_COMPILE_CACHE: join(import.meta.dirname, ".fleetwright", "compiled"),
      // Hints read the same however the tests were started.
      FLEETWRIGHT_COMMAND: "fleet",
    },
    globalSetup: ["test/temporary.setup.ts"],
    maxWorkers: 4,
    sequence: { sequencer: ProjectByProject },
    projects: [
      { test: { name: "unit", isolate: false, include: ["test/unit/**/*.test.ts"], setupFiles, testTimeout: 30_000 } },
      {
        test: {
          name: "property",
          isolate: false,
          include: ["test/property/**/*.test.ts"],
          setupFiles,
          testTimeout: mode === "storms" ? 240_000 : 60_000,
        },
      },
      { test: { name: "cdk", isolate: false, include: ["test/cdk/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000 } },
      {
        test: {
          name: "contract",
          isolate: false,
          include: [testsOf("contract", mode)],
          globalSetup: ["test/contract/emulators.setup.ts"],
          setupFiles: ["test/log-lines.setup.ts"],
          testTimeout: 30_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: [testsOf("e2e", mode)],
          testTimeout: 90_000,
          hookTimeout: 240_000,
        },
      },
      // What takes minutes: `npm run test:first-hour` alone runs it.
      ...(mode === "first-hour"
        ? [
            {
              test: {
                name: "first-hour",
                include: ["test/first-hour/**/*.test.ts"],
                globalSetup: ["test/first-hour/assembly.setup.ts"],
                testTimeout: 400_000,
                hookTimeout: 240_000,
              },
            },
          ]
        : []),
      // The CDK's command line against an account on this machine: `npm run test:deploy` alone runs it.
      ...(mode === "deploy"
        ? [{ test: { name: "deploy", include: ["test/deploy/*.test.ts"], testTimeout: 300_000, hookTimeout: 60_000 } }]
        : []),
    ],
  },
}));
