import type { ClientSettings } from "../../lib/aws/clients/settings.ts";

/** Settings of a client for an emulator: it signs with any credentials and gives up early. */
export const wire = (endpoint: string): ClientSettings => ({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "contract", secretAccessKey: "contract" },
  requestMs: 10_000,
});

/** Returns a name that no other suite or run uses. */
export const unique = (prefix: string): string => `${prefix}-${crypto.randomUUID().slice(0, 8)}`;
