import pMap from "p-map";
import type { SealedManifest } from "../../model/artifact.ts";
import { FleetError } from "../../model/fleet-error.ts";
import type { SealedArtifact } from "../../model/job.ts";
import type { ArtifactReader } from "../../ports/artifacts.ts";
import { whatWentWrong } from "../invocation/exit.ts";
import { placeOf, stateOf, whyNotWritten } from "./local-file.ts";

const atOnce = 8;
/** A connection can break in the middle of a large file. */
const tries = 3;

export type Fetched = { readonly artifact: SealedArtifact; readonly how: "fetched" | "already there" };
export type NotFetched = { readonly artifact: SealedArtifact; readonly because: string };
export type FetchOutcome = { readonly fetched: readonly Fetched[]; readonly failed: readonly NotFetched[] };

type Target = { readonly artifact: SealedArtifact; readonly place: Buffer; readonly state: Awaited<ReturnType<typeof stateOf>> };
type Planned = Target | NotFetched;

export type Fetching = {
  readonly reader: ArtifactReader;
  readonly kept: SealedManifest;
  readonly folder: string;
  /** Whether to overwrite local files that differ. */
  readonly force: boolean;
  /** Called after each file, with the number of files done. */
  readonly onProgress: (done: number) => void;
};

/**
 * Fetches files into a folder, several at once. Files that are already there, byte for byte, are not fetched again. If one fails, the
 * others are still fetched. Throws a FleetError before anything is fetched if local files differ, unless `force` is set.
 */
export async function fetchFiles(fetching: Fetching): Promise<FetchOutcome> {
  const { kept, folder, force } = fetching;
  const planned = await pMap(kept.artifacts, (artifact) => plan(artifact, folder), { concurrency: atOnce });
  if (!force) refuseToOverwrite(planned);
  let done = 0;
  const results = await pMap(
    planned,
    async (each) => {
      const result = "because" in each ? each : await fetchOne(each, fetching);
      fetching.onProgress(++done);
      return result;
    },
    { concurrency: atOnce },
  );
  return {
    fetched: results.filter((each) => "how" in each),
    failed: results.filter((each) => "because" in each),
  };
}

async function plan(artifact: SealedArtifact, folder: string): Promise<Planned> {
  try {
    const place = placeOf(folder, artifact);
    return { artifact, place, state: await stateOf(place, artifact) };
  } catch (error) {
    return { artifact, because: whatWentWrong(error) };
  }
}

async function fetchOne({ artifact, place, state }: Target, { reader, kept }: Fetching): Promise<Fetched | NotFetched> {
  if (state === "same") return { artifact, how: "already there" };
  if (state === "folder") return { artifact, because: "there is a folder of that name" };
  for (let failures = 1; ; failures++) {
    try {
      const { team, job, attempt } = kept;
      await reader.open({ team, job, attempt }, artifact, place);
      return { artifact, how: "fetched" };
    } catch (error) {
      const isWorthIt = !(error instanceof FleetError) || error.code === "not-opened";
      const why = whyNotWritten(error);
      if (why !== undefined || !isWorthIt || failures >= tries) return { artifact, because: why ?? whatWentWrong(error) };
    }
  }
}

const maxNamed = 10;

function refuseToOverwrite(planned: readonly Planned[]): void {
  const other = planned.filter((each) => "state" in each && each.state === "other").map(({ artifact }) => artifact.path);
  if (other.length === 0) return;
  const names = [...other.slice(0, maxNamed), ...(other.length > maxNamed ? [`and ${other.length - maxNamed} more`] : [])];
  const files = other.length === 1 ? "a different file is already there" : `${other.length} different files are already there`;
  throw new FleetError(
    "would-overwrite",
    `nothing was fetched, because ${files}:\n  ${names.join("\n  ")}\nOverwrite with --force, or fetch into another folder with --to.`,
  );
}
