import { NodeTypeColumns, type NodeTypeRow, NodeTypeRow as Row } from "../../../events/tables/node-type.ts";
import { type NodeType, type PerResource, perResource, resourceNames } from "../../model/planning/capacity.ts";
import { UsageError } from "../invocation/exit.ts";
import { readTable, type TableKind } from "./read-table.ts";

export const nodeTypeTable: TableKind<NodeTypeRow> = { noun: "node type", columns: NodeTypeColumns, row: Row, key: ({ name }) => name };

/** Four example sizes. A size that offers twice as much costs a little more than twice as much. */
const examples = [
  { name: "small", offers: { compute: 100, storage: 16, bandwidth: 10 } },
  { name: "medium", offers: { compute: 200, storage: 32, bandwidth: 20 } },
  { name: "large", offers: { compute: 300, storage: 64, bandwidth: 30 } },
  { name: "xlarge", offers: { compute: 400, storage: 128, bandwidth: 40 } },
] as const;
export const exampleUnitPrices: PerResource = { compute: 100, storage: 50, bandwidth: 30 };

/** Returns the types of a file, or the examples. A type without a price costs the sum of its units' prices. */
export async function nodeTypes(file: string | undefined, unitPrices: Partial<PerResource> | undefined): Promise<readonly NodeType[]> {
  const rows = file === undefined ? examples.map(example) : await readTable(file, nodeTypeTable);
  const prices = unitPrices ?? (file === undefined ? exampleUnitPrices : undefined);
  return rows.map((row) => ({ ...row, cost: row.cost ?? costOf(row, { prices, file }) }));
}

const example = (of: Pick<NodeTypeRow, "name" | "offers">): NodeTypeRow => ({ ...of, cost: undefined, loss: 0, most: undefined });

function costOf(
  { name, offers }: NodeTypeRow,
  by: { prices: Partial<PerResource> | undefined; file: string | undefined },
): NodeType["cost"] {
  const { prices, file } = by;
  if (!prices)
    throw new UsageError(`${file} gives no price for ${name}; fill in hardwareUsd, or set prices per unit with --unit-prices ${sample}`);
  const each = perResource((resource) => offers[resource] * (prices[resource] ?? 0));
  return { hardware: each.compute + each.storage, software: 0, network: each.bandwidth };
}

const sample = resourceNames.map((name) => `${name}=${exampleUnitPrices[name]}`).join(",");
