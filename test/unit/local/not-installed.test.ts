import { expect, it } from "vitest";
import { whyNotInstalled } from "../../../lib/local/emulators/not-installed.ts";

const none = `ERROR: Could not find a version that satisfies the requirement blinker==1.9.0 (from versions: none)
ERROR: No matching distribution found for blinker==1.9.0`;
const refused = `WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection
object>: Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/blinker/\n${none}`;

it.each([
  [
    "no network",
    refused,
    "pip",
    /^the Python package index cannot be reached\. It is needed only once: .*Start again .*HTTPS_PROXY, or set PIP_INDEX_URL/,
  ],
  ["no network, and no retries", none, "pip", /^the Python package index cannot be reached\./],
  [
    "no network, with uv",
    "error: Failed to fetch: `https://pypi.org/simple/blinker/`\n  Caused by: error sending request\n  Caused by: client error (Connect)\n  Caused by: dns error",
    "uv",
    /cannot be reached.*UV_DEFAULT_INDEX/,
  ],
  [
    "a proxy with its own certificate",
    "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed" + "'))",
    "pip",
    /certificate is not trusted\. .*PIP_CERT/,
  ],
  [
    "a Python without a build in the index",
    "ERROR: Could not find a version that satisfies the requirement cffi==2.0.0 (from versions: 1.0.0)\nERROR: No matching distribution found for cffi==2.0.0",
    "pip",
    /^the package index has no build of cffi==2\.0\.0 for this Python and machine/,
  ],
  ["a full disk", "OSError: [Errno 28] No space left on device", "pip", /^the disk is full$/],
  ["an unknown error", "ERROR: it broke", "pip", /^pip reports:\nERROR: it broke$/],
] as const)("a failed installation of the emulators is explained in plain words: %s", (_what, output, installer, words) => {
  const why = whyNotInstalled(output, installer);
  expect(why).toMatch(words);
  if (!why.startsWith("pip reports")) expect(why).not.toMatch(/Retry|blinker|Errno/);
});

it("of a long output, only the end is shown, because it says what failed", () => {
  const why = whyNotInstalled(`${"x".repeat(5_000)}the end`, "pip");
  expect(why).toMatch(/the end$/);
  expect(why.length).toBeLessThan(2_100);
});
