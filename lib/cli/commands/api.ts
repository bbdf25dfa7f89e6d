import { jsonOf } from "../../../events/json.ts";
import { exitCodes, UsageError } from "../invocation/exit.ts";
import { commandLine } from "../invocation/invocation.ts";
import type { ApiRequest } from "../session/api-client.ts";
import type { Context } from "../session/context.ts";
import { factLines } from "../views/job-view.ts";

const methods = ["GET", "POST", "PUT", "DELETE"] as const;
const isMethod = (text: string): text is ApiRequest["method"] => methods.some((method) => method === text);

/** Prints the address of the HTTP API and how to sign its calls. */
export async function describeApi(options: { readonly json?: boolean | undefined }, { connection, console }: Context): Promise<number> {
  const { endpoint, deployment } = connection;
  // The local cloud also serves the API at its own address, which is easier to type.
  const url = endpoint ?? deployment.apiUrl.replace(/\/$/, "");
  const region = endpoint === undefined ? regionOf(deployment.apiUrl) : "us-east-1";
  const document = `${url}/v1/openapi.json`;
  if (options.json) {
    console.out(JSON.stringify({ url, document, region, service: "lambda" }));
    return exitCodes.ok;
  }
  const keys =
    endpoint === undefined ? '"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" -H "x-amz-security-token: $AWS_SESSION_TOKEN"' : "local:local";
  const lines = factLines([
    ["API", url],
    ["document", `${document} (OpenAPI 3.1)`],
    ["signed", `AWS Signature Version 4, service lambda, region ${region}`],
    ["with curl", `curl --aws-sigv4 aws:amz:${region}:lambda --user ${keys} ${document}`],
    ["with fleet", commandLine("api", "GET", "/v1/pools")],
  ]);
  for (const line of lines) console.out(line);
  return exitCodes.ok;
}

/** Returns the region of an address such as `https://ID.lambda-url.REGION.on.aws/`. */
const regionOf = (apiUrl: string): string => /\.lambda-url\.([a-z0-9-]+)\./.exec(apiUrl)?.[1] ?? "REGION";

type ApiCommand = { readonly method: string; readonly path: string; readonly body?: string | undefined };

/** Makes a signed call and prints the JSON of the response. */
export async function callApi(command: ApiCommand, { connection, console }: Context): Promise<number> {
  const response = await connection.api.raw(callOf(command));
  if (response !== undefined) for (const line of JSON.stringify(response, null, 2).split("\n")) console.out(line);
  return exitCodes.ok;
}

function callOf({ method: typed, path, body: text }: ApiCommand): ApiRequest {
  const method = typed.toUpperCase();
  if (!isMethod(method)) throw new UsageError(`${typed} is not a method of the API; use one of: ${methods.join(", ")}`);
  if (!path.startsWith("/v1/"))
    throw new UsageError(
      `${path} is not a path of the API; paths begin with /v1/; list them with: ${commandLine("api", "GET", "/v1/openapi.json")}`,
    );
  if (text === undefined) return { method, path };
  const body = jsonOf(text);
  if (body === undefined) throw new UsageError("the body is not JSON");
  return { method, path, body };
}
