import * as z from "zod";
import type { NodeOrder, Ordered, Overrides } from "../../model/overrides/overrides.ts";
import { Count, Time } from "./fields.ts";
import { type SigningPrincipal, sessionOf } from "./speaker.ts";
import { iso, isoIf } from "./times.ts";

const ordered = { by: z.string().describe("The admin, as IAM names the caller"), reason: z.string().optional(), since: Time };

export const NodeOrderView = z.object({
  kind: z.enum(["cordon", "drain"]).describe("cordon: the node gets nothing new; drain: in addition, it is emptied and ended"),
  ...ordered,
  until: Time.optional().describe("When what runs on a drained node is stopped and queued again"),
});
export type NodeOrderView = z.infer<typeof NodeOrderView>;

export const OverridesView = z
  .object({
    version: Count.describe("The number of changes. A change can name the version that it is based on"),
    paused: z
      .object({ ...ordered, until: Time.optional().describe("Set if the pool is drained: when what runs is stopped and queued again") })
      .optional()
      .describe("Set while the pool starts nothing"),
    nodes: z.array(NodeOrderView.extend({ node: z.string() })),
    changes: z.array(z.object({ what: z.string(), by: z.string(), reason: z.string().optional(), at: Time })).describe("Newest first"),
    leaving: z
      .array(z.object({ node: z.string(), because: z.string() }))
      .optional()
      .describe("Set in the response to a drained pool's resumption: the nodes that leave the pool all the same"),
    unreadable: z.literal(true).optional().describe("Set if this release cannot read the overrides; the pool then counts as paused"),
  })
  .meta({ id: "Overrides" });
export type OverridesView = z.infer<typeof OverridesView>;

const orderedView = ({ by, because, sinceMs }: Ordered) => ({ by, reason: because, since: iso(sinceMs) });

export const nodeOrderView = (order: NodeOrder): NodeOrderView => ({
  kind: order.untilMs === undefined ? "cordon" : "drain",
  ...orderedView(order),
  until: isoIf(order.untilMs),
});

export const overridesView = (
  { version, paused, nodes, history, isUnknown }: Overrides,
  leaving?: readonly { readonly node: string; readonly because: string }[],
): OverridesView => ({
  version,
  paused: paused && { ...orderedView(paused), until: isoIf(paused.untilMs) },
  nodes: Object.entries(nodes)
    .map(([node, order]) => ({ node, ...nodeOrderView(order) }))
    .toSorted((a, b) => (a.node < b.node ? -1 : 1)),
  changes: history.map(({ what, by, because, atMs }) => ({ what, by, reason: because, at: iso(atMs) })),
  ...(leaving && { leaving: [...leaving] }),
  ...(isUnknown && { unreadable: true }),
});

/** Returns a caller's name for people: the role and its session, or the user. */
export function nameOf({ arn }: SigningPrincipal): string {
  const session = sessionOf(arn);
  return session ? `${session.role}/${session.session}` : (arn.split(/[:/]/).at(-1) ?? arn);
}
