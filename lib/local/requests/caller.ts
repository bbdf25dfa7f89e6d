import type { IncomingHttpHeaders } from "node:http";

const loopback = /^(127\.0\.0\.1|localhost|[a-z0-9.-]+\.localhost)(:\d+)?$/i;

/**
 * Returns why a call is refused because a web page in this machine's browser may have made it, or undefined if it may go on. Any page
 * can send simple calls to 127.0.0.1, and a page whose name is made to lead there (DNS rebinding) can send any call. Browsers report
 * the page in `Origin` and `Sec-Fetch-Site`, and the name that they looked up in `Host`. Programs other than browsers are not affected.
 */
export function whyForeign(headers: IncomingHttpHeaders): string | undefined {
  const { host = "", origin } = headers;
  const site = headers["sec-fetch-site"];
  if (!loopback.test(host)) return `This server serves only this machine, as 127.0.0.1 or localhost, not as "${host}"`;
  if (origin !== undefined && origin !== `http://${host}`) return `Web pages of ${origin} may not call this server`;
  // "none": a person typed the address or opened a bookmark.
  if (site !== undefined && site !== "same-origin" && site !== "none") return "Web pages of another site may not call this server";
  return undefined;
}
