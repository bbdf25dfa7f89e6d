import type { Announcement, Clouds } from "../../local/announcement.ts";
import { UsageError } from "../invocation/exit.ts";

/** The kind of deployment that commands use. */
export type TargetKind = "local" | "aws";

/** The user's choices, in order of precedence. */
export type Wishes = {
  /** `--local` or `--aws`: for this command. */
  readonly option?: TargetKind | undefined;
  /** FLEETWRIGHT_TARGET: for this shell. */
  readonly environment?: TargetKind | undefined;
  /** `fleet use`: for this user. */
  readonly remembered?: TargetKind | undefined;
};

/** The reason for a choice: one of the wishes or, without any, which local clouds run or ran. */
export type Because = keyof Wishes | "clouds";

export type TargetChoice =
  | { readonly kind: "local"; readonly cloud: Announcement; readonly because: Because }
  | { readonly kind: "aws"; readonly because: Because }
  /** A local cloud is meant, and none runs. The command must fail, because it must not reach AWS, where it costs money. */
  | { readonly kind: "gone"; readonly last?: Announcement | undefined; readonly because: Because };

/**
 * Chooses where commands go. Without a wish, they use the newest local cloud that runs. If one ran and none does now, they fail until
 * the user makes a choice. If none ever ran, they use AWS.
 */
export function choose(wishes: Wishes, { running, last }: Clouds): TargetChoice {
  const because = (["option", "environment", "remembered"] as const).find((each) => wishes[each] !== undefined) ?? "clouds";
  const wish = because === "clouds" ? undefined : wishes[because];
  const [cloud] = running;
  if (wish === "aws") return { kind: "aws", because };
  if (cloud) return { kind: "local", cloud, because };
  return wish === "local" || last ? { kind: "gone", last, because } : { kind: "aws", because };
}

/** Parses FLEETWRIGHT_TARGET. An empty value counts as unset. */
export function targetIn(value: string | undefined): TargetKind | undefined {
  if (!value) return undefined;
  if (value === "local" || value === "aws") return value;
  throw new UsageError(`FLEETWRIGHT_TARGET is ${JSON.stringify(value)}; it must be local or aws`);
}
