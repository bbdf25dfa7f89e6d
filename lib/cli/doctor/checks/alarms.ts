import type { AlarmStanding } from "../../../aws/account/standing.ts";
import { commandLine } from "../../invocation/invocation.ts";
import { anError, aWarning, type Finding } from "../findings/finding.ts";

export type AlarmFacts = {
  readonly fleet: string;
  /** The names of its functions, without its own name before them. */
  readonly functions: readonly string[];
  readonly alarms: readonly AlarmStanding[];
  /** Whether actions of alarms have no effect, so that their absence means nothing. */
  readonly areActionsIdle?: boolean | undefined;
};

/** The most alarms that a sentence names. */
const named = 3;

/**
 * Checks the alarms for people: they notify someone, and none is going off. Alarms that ring pools are left out: they have no action by
 * design, and they go off whenever there is work.
 */
export function alarmFindings({ fleet, functions, alarms, areActionsIdle = false }: AlarmFacts): readonly Finding[] {
  // The alarms of a deployment NAME-2 begin with NAME, too.
  const begin = ["dead", "stuck", ...functions].map((part) => `${fleet}-${part}-`);
  const own = alarms.filter(({ name }) => begin.some((prefix) => name.startsWith(prefix)));
  const silent = areActionsIdle ? [] : own.filter(({ actions }) => actions.length === 0);
  return [
    ...own
      .filter(({ state }) => state === "ALARM")
      .map(({ name, why }) =>
        anError(
          "alarms.alarm",
          `the alarm ${name} is going off: ${why}`,
          `docs/operations.md says what to do about it; ${commandLine("problems")} shows what fails`,
        ),
      ),
    ...(own.length === 0
      ? [anError("alarms.missing", "the deployment has no alarm for people", "npx cdk deploy, which creates the alarms again")]
      : []),
    ...(silent.length > 0
      ? [
          aWarning(
            "alarms.no-action",
            `${silent.length} of ${own.length} alarms notify no one when they go off: ${listed(silent)}`,
            "set alarmTopicArn in the configuration to an SNS topic, then npx cdk deploy",
          ),
        ]
      : []),
  ];
}

const listed = (alarms: readonly AlarmStanding[]): string =>
  `${alarms
    .slice(0, named)
    .map(({ name }) => name)
    .join(", ")}${alarms.length > named ? ", …" : ""}`;
