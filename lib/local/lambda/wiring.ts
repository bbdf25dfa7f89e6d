import { FleetError } from "../../model/fleet-error.ts";
import type { Guard } from "../access/guard.ts";
import { account, type Blueprint, region } from "../provision/world.ts";
import { roleArn } from "../requests/identities.ts";

/** What AWS does by itself between the parts of a stack, and what one of them lacks for it. */
type Wire = {
  readonly who: Parameters<Guard["isAllowed"]>[0];
  readonly action: string;
  readonly resource: string;
  readonly lacks: string;
  readonly context?: Readonly<Record<string, readonly string[]>>;
};

/**
 * Checks the permissions that AWS needs by itself: services assume roles, read queues for functions, deliver events, keep logs. No call at this
 * endpoint shows that they are missing. Throws the FleetError `wiring` that names all missing permissions.
 */
export function checkWiring(blueprint: Blueprint, guard: Pick<Guard, "isAllowed">): void {
  const wires = [eventSources, deliveries, schedules, destinations, functionLogs, encryptedLogs, accessLogs, trusts].flatMap((of) =>
    of(blueprint),
  );
  const missing = wires.filter(({ who, action, resource, context = {} }) => !guard.isAllowed(who, { action, resource, context }));
  const lines = [...new Set(missing.map(({ lacks }) => lacks)), ...uncallable(blueprint)];
  if (lines.length > 0) throw new FleetError("wiring", `These connections would not work on AWS:\n${lines.join("\n")}`);
}

/** Returns a session of a function's role, as AWS uses it for what it does in the function's name. */
const roleOf = ({ functions }: Blueprint, functionName: string) => ({
  role: functions.find((each) => each.name === functionName)?.role ?? "",
  session: functionName,
});

const eventSources = (blueprint: Blueprint): readonly Wire[] =>
  blueprint.eventSources.flatMap(({ queueArn, functionName }) =>
    ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"].map((action) => ({
      who: roleOf(blueprint, functionName),
      action,
      resource: queueArn,
      lacks: `The role of ${functionName} lacks ${action} on ${queueArn}`,
    })),
  );

/** A function's own policy allows rules to call it. It is kept apart from other policies, because it is made of permissions. */
const uncallable = ({ ruleTargets, permissions }: Blueprint): readonly string[] =>
  ruleTargets
    .filter(
      ({ functionArn, ruleArn }) =>
        !permissions.some(
          (each) =>
            each.functionArn === functionArn &&
            each.principal === "events.amazonaws.com" &&
            (each.sourceArn === undefined || each.sourceArn === ruleArn),
        ),
    )
    .map(({ functionArn, ruleArn }) => `${functionArn} does not allow the rule ${ruleArn} to call it`);

const deliveries = ({ deadLetters, queueTargets }: Blueprint): readonly Wire[] =>
  [...deadLetters, ...queueTargets].map(({ ruleArn, queueArn }) => ({
    who: { service: "events.amazonaws.com" },
    action: "sqs:SendMessage",
    resource: queueArn,
    context: { "aws:sourcearn": [ruleArn] },
    lacks: `${queueArn} does not allow the rule ${ruleArn} to send to it`,
  }));

function destinations(blueprint: Blueprint): readonly Wire[] {
  const letters = blueprint.functions.map(({ name, deadLetterArn }) => ({ functionName: name, arn: deadLetterArn }));
  const failures = blueprint.asynchronous.map(({ functionName, onFailureArn }) => ({ functionName, arn: onFailureArn }));
  return [...letters, ...failures].flatMap(({ functionName, arn }) =>
    arn === undefined
      ? []
      : {
          who: roleOf(blueprint, functionName),
          action: "sqs:SendMessage",
          resource: arn,
          lacks: `The role of ${functionName} lacks sqs:SendMessage on its destination ${arn}`,
        },
  );
}

const schedules = ({ schedules: all }: Blueprint): readonly Wire[] =>
  all.flatMap(({ name, role, functionArn, deadLetterArn }) => {
    const who = { role, session: name };
    const call = {
      who,
      action: "lambda:InvokeFunction",
      resource: functionArn,
      lacks: `The role ${role} of the schedule ${name} may not call ${functionArn}`,
    };
    const lacks = `The role ${role} of the schedule ${name} may not send to ${deadLetterArn}`;
    return deadLetterArn === undefined ? [call] : [call, { who, action: "sqs:SendMessage", resource: deadLetterArn, lacks }];
  });

const functionLogs = (blueprint: Blueprint): readonly Wire[] =>
  blueprint.functions.flatMap(({ name, logGroupArn }) =>
    ["logs:CreateLogStream", "logs:PutLogEvents"].map((action) => ({
      who: roleOf(blueprint, name),
      action,
      resource: `${logGroupArn}:log-stream:${name}`,
      lacks: `The role of ${name} lacks ${action} on its log group ${logGroupArn}`,
    })),
  );

const encryptedLogs = ({ encryptedLogs: all }: Blueprint): readonly Wire[] =>
  all.flatMap(({ groupArn, keyArn }) =>
    ["kms:GenerateDataKey", "kms:Decrypt", "kms:Encrypt"].map((action) => ({
      who: { service: `logs.${region}.amazonaws.com` },
      action,
      resource: keyArn,
      context: { "kms:encryptioncontext:aws:logs:arn": [groupArn] },
      lacks: `The key ${keyArn} does not allow CloudWatch Logs ${action} for ${groupArn}`,
    })),
  );

const accessLogs = ({ accessLogs: all }: Blueprint): readonly Wire[] =>
  all.map(({ bucketArn, prefixArn }) => ({
    who: { service: "logging.s3.amazonaws.com" },
    action: "s3:PutObject",
    resource: `${prefixArn}log`,
    context: { "aws:sourcearn": [bucketArn] },
    lacks: `${prefixArn} does not allow access logs of ${bucketArn}`,
  }));

/** Services make the sessions of functions, nodes and schedules. */
function trusts(blueprint: Blueprint): readonly Wire[] {
  const { functions, instanceProfiles, schedules: all, policies } = blueprint;
  const assumed = [
    ...functions.map(({ role }) => ({ role, service: "lambda.amazonaws.com" })),
    ...instanceProfiles.map(({ role }) => ({ role, service: "ec2.amazonaws.com" })),
    ...all.map(({ role }) => ({ role, service: "scheduler.amazonaws.com" })),
  ];
  return assumed.flatMap(({ role, service }) =>
    policies.roles.has(role)
      ? {
          who: { service },
          action: "sts:AssumeRole",
          resource: roleArn(role, account),
          lacks: `The role ${role} does not trust ${service}`,
        }
      : [],
  );
}
