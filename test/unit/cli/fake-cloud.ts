import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { announce } from "../../../lib/local/announcement.ts";
import { aJobSummary, aJobView, aLogPage, aMe, lines } from "./api-samples.ts";
import { aDeployment, type Called, type FakeApi, type FakeResponse, problem, type Routes, startFakeApi } from "./fake-api.ts";

/** The outside of a local cloud: the responses of its AWS and its API, and the requests that they received. */
export type FakeCloud = {
  readonly api: FakeApi;
  /** The home folder of the user who runs it, in which it is announced. */
  readonly home: string;
  /** Bodies of the messages that were sent to queues. */
  readonly messages: readonly string[];
  /** Number of puts, by path on S3. */
  readonly uploads: ReadonlyMap<string, number>;
  /** The API's address that SSM returns: the same server, unless a test sets another. No process listens at that of a deployment `deaf`. */
  apiUrl: string;
  /** The account that STS returns; undefined if STS refuses. */
  account: string | undefined;
  close(): Promise<void>;
};

export const fakeTeam = "/v1/teams/research";

const AwsRequest = z.object({
  Name: z.string().optional(),
  QueueName: z.string().optional(),
  MessageBody: z.string().optional(),
  Entries: z.array(z.object({ Id: z.string(), MessageBody: z.string() })).optional(),
});

/** Starts a local cloud whose API has a few responses, and these routes. */
export async function startFakeCloud(routes: Routes = {}): Promise<FakeCloud> {
  const messages: string[] = [];
  const uploads = new Map<string, number>();
  const sent = (body: string): object => {
    messages.push(body);
    return { MessageId: `message-${messages.length}`, MD5OfMessageBody: createHash("md5").update(body).digest("hex") };
  };
  const aws = ({ body }: Called): FakeResponse => {
    if (typeof body === "string" && body.includes("Action=GetCallerIdentity")) return sts(cloud.account);
    const { Name, QueueName, MessageBody = "", Entries } = AwsRequest.parse(body);
    if (Name !== undefined) {
      const apiUrl = Name.includes("/deaf/") ? "http://127.0.0.1:9/" : cloud.apiUrl;
      return { body: { Parameter: { Value: JSON.stringify(aDeployment({ apiUrl })) } } };
    }
    if (QueueName !== undefined) return { body: { QueueUrl: `${api.url}/${QueueName}` } };
    if (Entries) return { body: { Successful: Entries.map((entry) => ({ Id: entry.Id, ...sent(entry.MessageBody) })), Failed: [] } };
    return { body: sent(MessageBody) };
  };
  const api = await startFakeApi({
    "POST /": aws,
    "HEAD *": ({ path }) => ({ status: uploads.has(path) ? 200 : 404 }),
    "PUT *": ({ path }) => {
      uploads.set(path, (uploads.get(path) ?? 0) + 1);
      return {};
    },
    "GET /api/v1/me": { body: aMe() },
    "DELETE /api/v1/pools/gpu/learned": { status: 204 },
    [`POST /api${fakeTeam}/jobs/check`]: { body: { items: [{ accepted: true, pool: "gpu" }] } },
    [`GET /api${fakeTeam}/jobs`]: { body: { items: [aJobSummary()] } },
    [`GET /api${fakeTeam}/jobs/done`]: { body: aJobView({ job: "done", state: "succeeded" }) },
    [`GET /api${fakeTeam}/jobs/done/logs`]: [
      { body: aLogPage({ state: "succeeded", lines: lines("hello") }) },
      { body: aLogPage({ state: "succeeded" }) },
    ],
    [`GET /api${fakeTeam}/jobs/train-7/logs`]: { body: aLogPage({ lines: [] }) },
    [`GET /api${fakeTeam}/jobs/hidden`]: problem(403, "denied", "You may not speak for research."),
    ...routes,
  });
  const home = await mkdtemp(join(tmpdir(), "fleetwright-fake-cloud-"));
  await announce(home, { endpoint: api.url });
  const cloud: FakeCloud = {
    api,
    home,
    messages,
    uploads,
    apiUrl: `${api.url}/api/`,
    account: "123456789012",
    close: async () => {
      await api.close();
      await rm(home, { recursive: true });
    },
  };
  return cloud;
}

function sts(account: string | undefined): FakeResponse {
  if (account === undefined) return { status: 403, body: "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>" };
  const result = `<GetCallerIdentityResult><Account>${account}</Account></GetCallerIdentityResult>`;
  return { body: `<GetCallerIdentityResponse>${result}</GetCallerIdentityResponse>` };
}
