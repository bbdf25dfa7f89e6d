import { FleetError } from "../../model/fleet-error.ts";
import type { Blueprint } from "../provision/world.ts";
import { administrator } from "../requests/identities.ts";
import { isAllowed, type Statement } from "../requests/policy.ts";

/**
 * Checks the permissions that the template's queues, rules, destinations and schedules need on AWS. The local cloud does not start
 * without them either. Throws the FleetError `wiring` that names all missing permissions.
 */
export function checkWiring(blueprint: Blueprint): void {
  const missing = [...eventSources(blueprint), ...rules(blueprint), ...schedules(blueprint), ...destinations(blueprint)];
  if (missing.length > 0) throw new FleetError("wiring", `These connections would not work on AWS:\n${missing.join("\n")}`);
}

const everything: Statement = { Effect: "Allow", Action: ["*"], Resource: ["*"], Condition: {} };

/** Returns all policy statements of a role. */
export const statementsOf = (blueprint: Blueprint, role: string): Statement[] =>
  role === administrator.role ? [everything] : ofStack(blueprint, role);

const ofStack = (blueprint: Blueprint, role: string): Statement[] =>
  blueprint.grants.filter((grant) => grant.role === role).flatMap((grant) => grant.statements);

const pollerActions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

function eventSources(blueprint: Blueprint): string[] {
  return blueprint.eventSources.flatMap(({ queueArn, functionName }) => {
    const role = blueprint.functions.find((each) => each.name === functionName)?.role ?? "";
    const lacking = pollerActions.filter((action) => !isAllowed(statementsOf(blueprint, role), { action, resource: queueArn }));
    return lacking.length > 0 ? [`The role of ${functionName} lacks ${lacking.join(", ")} on ${queueArn}`] : [];
  });
}

function rules(blueprint: Blueprint): string[] {
  return blueprint.ruleTargets
    .filter(
      ({ functionArn, ruleArn }) =>
        !blueprint.permissions.some(
          (each) =>
            each.functionArn === functionArn &&
            each.principal === "events.amazonaws.com" &&
            (each.sourceArn === undefined || each.sourceArn === ruleArn),
        ),
    )
    .map(({ functionArn, ruleArn }) => `${functionArn} does not allow the rule ${ruleArn} to call it`);
}

const destinations = (blueprint: Blueprint): string[] =>
  blueprint.asynchronous.flatMap(({ functionName, onFailureArn }) => {
    const role = blueprint.functions.find((each) => each.name === functionName)?.role ?? "";
    if (onFailureArn === undefined) return [];
    const may = isAllowed(statementsOf(blueprint, role), { action: "sqs:SendMessage", resource: onFailureArn });
    return may ? [] : [`The role of ${functionName} lacks sqs:SendMessage on its destination ${onFailureArn}`];
  });

const schedules = (blueprint: Blueprint): string[] =>
  blueprint.schedules
    .filter(
      ({ role, functionArn }) => !isAllowed(statementsOf(blueprint, role), { action: "lambda:InvokeFunction", resource: functionArn }),
    )
    .map(({ name, role, functionArn }) => `The role ${role} of the schedule ${name} may not call ${functionArn}`);
