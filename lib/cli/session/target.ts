import type { Announcement, Clouds } from "../../local/announcement.ts";
import { UsageError } from "../invocation/exit.ts";

/** Where commands go. */
export type TargetKind = "local" | "aws";

/** What the user said about it, the strongest first. */
export type Wishes = {
  /** `--local` or `--aws`, of this command. */
  readonly option?: TargetKind | undefined;
  /** FLEETWRIGHT_TARGET, of this shell. */
  readonly environment?: TargetKind | undefined;
  /** `fleet use`, of this user. */
  readonly remembered?: TargetKind | undefined;
};

/** Who decided: one of the wishes, or without any the local clouds that there are. */
export type Because = keyof Wishes | "clouds";

export type Choice =
  | { readonly kind: "local"; readonly cloud: Announcement; readonly because: Because }
  | { readonly kind: "aws"; readonly because: Because }
  /** The local cloud is meant, and none runs. The command must fail: what was meant for it must not reach AWS, where it costs money. */
  | { readonly kind: "gone"; readonly last?: Announcement | undefined; readonly because: Because };

/**
 * Without a wish, commands speak to the newest local cloud that runs. Where one has run and none does, they fail until
 * the user says what is meant; where none ever ran, they speak to AWS.
 */
export function choose(wishes: Wishes, { running, last }: Clouds): Choice {
  const because = (["option", "environment", "remembered"] as const).find((each) => wishes[each] !== undefined) ?? "clouds";
  const wish = because === "clouds" ? undefined : wishes[because];
  const [cloud] = running;
  if (wish === "aws") return { kind: "aws", because };
  if (cloud) return { kind: "local", cloud, because };
  return wish === "local" || last ? { kind: "gone", last, because } : { kind: "aws", because };
}

/** FLEETWRIGHT_TARGET; an empty one counts as none. */
export function targetIn(value: string | undefined): TargetKind | undefined {
  if (!value) return undefined;
  if (value === "local" || value === "aws") return value;
  throw new UsageError(`FLEETWRIGHT_TARGET is ${JSON.stringify(value)}; it must be local or aws`);
}
