import type { ClientSettings } from "../../lib/aws/clients/settings.ts";

/** How the contract suites reach an emulator: it signs like anybody, and gives up early. */
export const wire = (endpoint: string): ClientSettings => ({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "contract", secretAccessKey: "contract" },
  requestMs: 10_000,
});

/** A name that no other suite or run uses. */
export const unique = (prefix: string): string => `${prefix}-${crypto.randomUUID().slice(0, 8)}`;
