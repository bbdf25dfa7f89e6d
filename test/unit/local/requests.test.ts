import { expect, it } from "vitest";
import { whyForeign } from "../../../lib/local/requests/caller.ts";

it.each([
  [{ host: "127.0.0.1:4566" }, undefined],
  [{ host: "LOCALHOST" }, undefined],
  [{ host: "bucket.s3.localhost:1", origin: "http://bucket.s3.localhost:1", "sec-fetch-site": "same-origin" }, undefined],
  [{ host: "localhost:1", "sec-fetch-site": "none" }, undefined],
  [{}, /serves only this machine/],
  [{ host: "localhost.evil.example" }, /not as "localhost.evil.example"/],
  [{ host: "localhost:1", origin: "http://localhost:2" }, /Web pages of http:\/\/localhost:2/],
  [{ host: "localhost:1", origin: "https://localhost:1" }, /Web pages of https/],
  [{ host: "localhost:1", "sec-fetch-site": "same-site" }, /another site/],
])("a call with the headers %j may or may not come from a web page", (headers, why) => {
  if (why === undefined) expect(whyForeign(headers)).toBeUndefined();
  else expect(whyForeign(headers)).toMatch(why);
});
