/** The instance's metadata service, version 2. */
export type Metadata = {
  /** Returns the text at a path below /latest/, or undefined if there is none (404). Throws if the service cannot be reached. */
  get(path: string): Promise<string | undefined>;
};

const timeoutMs = 2_000;
const tokenSeconds = 21_600;
/** The longest text that is accepted. */
const maxBytes = 16 * 1024;

/** `url` is the service's URL without a path. The token is kept until the service refuses it. */
export function metadataAt(url: string): Metadata {
  let token: Promise<string> | undefined;
  const fetchPath = async (path: string): Promise<Response> => {
    token ??= fetchToken(url);
    const headers = { "x-aws-ec2-metadata-token": await token };
    return fetch(`${url}/latest/${path}`, { headers, redirect: "error", signal: AbortSignal.timeout(timeoutMs) });
  };
  return {
    async get(path) {
      try {
        let response = await fetchPath(path);
        if (response.status === 401) {
          token = undefined;
          response = await fetchPath(path);
        }
        const text = await response.text();
        if (response.status === 404) return undefined;
        if (!response.ok || text.length > maxBytes) throw new Error(`the metadata service returned HTTP status ${response.status}`);
        return text;
      } catch (error) {
        token = undefined;
        throw error;
      }
    },
  };
}

async function fetchToken(url: string): Promise<string> {
  const response = await fetch(`${url}/latest/api/token`, {
    method: "PUT",
    headers: { "x-aws-ec2-metadata-token-ttl-seconds": String(tokenSeconds) },
    redirect: "error",
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok) throw new Error(`the metadata service returned no token: HTTP status ${response.status}`);
  return response.text();
}
