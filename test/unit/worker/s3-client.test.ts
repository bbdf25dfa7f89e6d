import { ListBucketsCommand } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { AttemptCredentials, s3Client } from "../../../lib/worker/runtime/s3.ts";
import { someCredentials } from "./http-fakes.ts";

test("a connection to S3 without data for a minute is dead, and a call is tried four times", async () => {
  const client = s3Client({ region: "eu-west-1", local: false }, new AttemptCredentials(someCredentials()));
  // The handler reads its options with its first call, which need not reach S3.
  const call = client.send(new ListBucketsCommand(), { abortSignal: AbortSignal.abort() });
  await expect(call).rejects.toMatchObject({ name: "AbortError" });
  const { requestHandler } = client.config;
  if (!("httpHandlerConfigs" in requestHandler)) throw new Error("the handler does not show its options");
  const shown = requestHandler.httpHandlerConfigs as () => object;
  expect(Reflect.apply(shown, requestHandler, [])).toMatchObject({
    connectionTimeout: 5_000,
    requestTimeout: 60_000,
    socketTimeout: 60_000,
    throwOnRequestTimeout: true,
  });
  expect(await client.config.maxAttempts()).toBe(4);
  expect(client.config.followRegionRedirects).toBe(true);
  expect(await client.config.region()).toBe("eu-west-1");
  client.destroy();
});

test.each([true, false])("a bucket is part of the path only in the local cloud: %s", (local) => {
  const client = s3Client({ region: "eu-west-1", local }, new AttemptCredentials(someCredentials()));
  expect(client.config.forcePathStyle).toBe(local);
  client.destroy();
});

test("credentials are replaced only by those that expire later", async () => {
  const credentials = new AttemptCredentials({ ...someCredentials(2_000), accessKeyId: "first" });
  credentials.renew({ ...someCredentials(2_000), accessKeyId: "same" });
  credentials.renew({ ...someCredentials(1_999), accessKeyId: "older" });
  expect(await credentials.provider()).toEqual({
    accessKeyId: "first",
    secretAccessKey: "job-secret",
    sessionToken: "job-token",
    expiration: new Date(2_000),
  });
  credentials.renew({ ...someCredentials(2_001), accessKeyId: "newer" });
  expect(await credentials.provider()).toMatchObject({ accessKeyId: "newer", expiration: new Date(2_001) });
  expect(credentials.expiresAtMs).toBe(2_001);
});
