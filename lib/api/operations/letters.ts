import * as z from "zod";
import { deleteLetters, listLetters, redriveLetters, type WorkedOff } from "../../flows/redrive-letters.ts";
import { type DeadQueue, deadQueues, type Remedy } from "../../model/letters/dead-letter.ts";
import type { ApiDeps } from "../http/deps.ts";
import { noBody, type Operation, type OperationCall, operation } from "../http/operation.ts";
import { type ApiResponse, type ProblemResponse, problem, success } from "../http/response.ts";
import { DeadQueueList, deadQueueView, HandledLetters, handledLetters, QueueName } from "../views/letters.ts";
import type { Speaker } from "../views/speaker.ts";
import { noParams, noQuery } from "./path.ts";

const ofQueue = z.strictObject({ queue: QueueName });

const list = operation({
  id: "listDeadLetters",
  method: "get",
  path: "/dead-letters",
  summary: "Lists the queues for messages that could not be handled, with some of their letters. For admins",
  params: noParams,
  query: noQuery,
  body: noBody,
  responses: { schema: DeadQueueList, statuses: { 200: "Every such queue, also if it is empty" } },
  problems: [],
  async handle(deps, { speaker }) {
    const found = whyDenied(speaker) ?? (await listLetters(deps, deadQueues(deps.fleet.teams)));
    return "kind" in found ? found : success({ items: found.map((each) => deadQueueView(each, deps.fleet.name)) });
  },
});

const redrive = operation({
  id: "redriveDeadLetters",
  method: "post",
  path: "/dead-letters/{queue}/redrive",
  summary: "Sends letters back to the queue that they were meant for, at most 100 per call. For admins",
  params: ofQueue,
  query: noQuery,
  body: noBody,
  responses: { schema: HandledLetters, statuses: { 200: "What was done" } },
  problems: ["not-found", "conflict"],
  handle: (deps, call) => workOff(deps, call, { remedy: "redrive", by: redriveLetters }),
});

const remove = operation({
  id: "deleteDeadLetters",
  method: "post",
  path: "/dead-letters/{queue}/delete",
  summary: "Deletes letters that are outdated, at most 100 per call; letters that should be sent back are never deleted. For admins",
  params: ofQueue,
  query: noQuery,
  body: noBody,
  responses: { schema: HandledLetters, statuses: { 200: "What was done" } },
  problems: ["not-found", "conflict"],
  handle: (deps, call) => workOff(deps, call, { remedy: "delete", by: deleteLetters }),
});

type Call = Pick<OperationCall<z.output<typeof ofQueue>, object, undefined>, "params" | "speaker">;
type Work = { readonly remedy: Remedy; readonly by: (deps: ApiDeps, queue: DeadQueue) => Promise<WorkedOff> };

async function workOff(deps: ApiDeps, { params, speaker }: Call, { remedy, by }: Work): Promise<ApiResponse<HandledLetters>> {
  const denied = whyDenied(speaker);
  if (denied) return denied;
  const queue = deadQueues(deps.fleet.teams).find(({ name }) => name === params.queue);
  if (queue === undefined) return problem("not-found", `There is no queue ${params.queue} with dead letters.`);
  return queue.remedy === remedy ? success(handledLetters(queue, await by(deps, queue))) : problem("conflict", whyNot(queue));
}

/** Returns why letters of this queue are not handled as requested, and what to do with them. */
function whyNot({ name, remedy, because }: DeadQueue): string {
  switch (remedy) {
    case "redrive":
      return `The letters of ${name} must not be deleted: ${because}. Send them back.`;
    case "delete":
      return `The letters of ${name} are outdated: ${because}. Delete them.`;
  }
}

const whyDenied = (speaker: Speaker): ProblemResponse | undefined =>
  speaker.kind === "admin" ? undefined : problem("denied", "Only an admin may see dead letters and handle them.");

export const letterOperations: readonly Operation[] = [list, redrive, remove];
