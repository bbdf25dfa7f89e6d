import type { SealedManifest } from "../../../model/artifact.ts";
import { FleetError } from "../../../model/fleet-error.ts";
import { type FetchOutcome, fetchFiles } from "../../artifacts/fetch.ts";
import { chosen, keptOf, whyEmpty } from "../../artifacts/kept.ts";
import { mustMatch, selected } from "../../artifacts/selected.ts";
import { exitCodes } from "../../invocation/exit.ts";
import { commandLine } from "../../invocation/invocation.ts";
import type { Context } from "../../session/context.ts";
import { findJob } from "../../session/find-job.ts";
import { bytes, count } from "../../terminal/amount.ts";
import { withProgress } from "../../terminal/progress.ts";
import { tableLines } from "../../terminal/table.ts";
import type { ShowJobOptions } from "./job.ts";

export type ListOptions = ShowJobOptions & { readonly attempt?: number | undefined };
export type GetOptions = ListOptions & { readonly force?: boolean | undefined };

type Row = { readonly path: string; readonly bytes?: number; readonly note: string };

/** Lists what was kept of an attempt, and what was not kept and why. */
export async function listArtifacts(id: string, patterns: readonly string[], of: { options: ListOptions } & Context): Promise<number> {
  const { options, connection, console } = of;
  const job = await findJob(id, options.team, connection);
  const all = await keptOf(job, options.attempt, connection.artifacts);
  const found = chosen(job, { kept: all, attempt: options.attempt, nowMs: of.nowMs });
  const kept = selected(found, patterns);
  const others = all.map(({ attempt }) => attempt).filter((attempt) => attempt !== kept.attempt);
  if (options.json) {
    const { artifacts, version: _version, ...rest } = kept;
    console.out(JSON.stringify({ ...rest, artifacts: artifacts.map(({ key: _key, ...file }) => file), otherAttempts: others }));
    return exitCodes.ok;
  }
  const rows = rowsOf(kept);
  if (rows.length > 0) for (const line of tableLines(rows, columns, "")) console.out(line);
  if (rows.length === 0 && patterns.length === 0) console.note(whyEmpty(job, found));
  else console.note(`${inWords(kept)}${ofAttempt(kept, job.attempt)}`);
  if (kept.failed !== undefined) console.note(kept.failed);
  if (others.length > 0)
    console.note(
      `other attempts left something too: ${others.join(", ")} (${commandLine("artifacts", "list", id, "--attempt", String(others[0]))})`,
    );
  return exitCodes.ok;
}

const columns = [
  { title: "PATH", of: (row: Row) => row.path },
  { title: "SIZE", of: (row: Row) => (row.bytes === undefined ? "-" : bytes(row.bytes)), align: "right" },
  { title: "NOTE", of: (row: Row) => row.note },
] as const;

const rowsOf = ({ artifacts, leftOut, leftOutMore = 0, missing, lost }: SealedManifest): readonly Row[] => [
  ...artifacts.map(({ path, bytes: size, escaped }) => ({ path, bytes: size, note: escaped ? "escaped name; restored by get" : "" })),
  ...leftOut.map(({ path, because }) => ({ path, note: `left out: ${because}` })),
  ...(leftOutMore > 0 ? [{ path: `(${leftOutMore} more)`, note: "left out" }] : []),
  ...missing.map((path) => ({ path, note: "missing: no file matched" })),
  ...lost.map(({ path, because }) => ({ path, note: `lost: ${because}` })),
];

/** Fetches what was kept of an attempt into a folder, decrypted and verified. */
export async function getArtifacts(
  id: string,
  to: { readonly folder: string; readonly patterns: readonly string[] },
  of: { options: GetOptions } & Context,
): Promise<number> {
  const { options, connection, console } = of;
  const job = await findJob(id, options.team, connection);
  const all = await keptOf(job, options.attempt, connection.artifacts);
  const found = chosen(job, { kept: all, attempt: options.attempt, nowMs: of.nowMs });
  if (found.artifacts.length === 0) throw new FleetError("no-artifacts", whyEmpty(job, found));
  mustMatch(found, to.patterns);
  const kept = selected(found, to.patterns);
  if (!options.json && kept.attempt !== job.attempt) console.note(`using attempt ${kept.attempt}: no later attempt left files`);
  const outcome = await withProgress(console, `fetching ${inWords(kept)}`, (onProgress) =>
    fetchFiles({
      reader: connection.artifacts,
      kept,
      folder: to.folder,
      force: options.force ?? false,
      onProgress: (done) => onProgress(`${done} done`),
    }),
  );
  if (options.json) console.out(JSON.stringify(jsonOf(kept, to.folder, outcome)));
  else report(kept, { folder: to.folder, outcome, console });
  return outcome.failed.length > 0 ? exitCodes.failed : exitCodes.ok;
}

function jsonOf(kept: SealedManifest, folder: string, { fetched, failed }: FetchOutcome): object {
  const artifacts = fetched.map(({ artifact: { key: _key, ...file }, how }) => ({ ...file, how }));
  return {
    job: kept.job,
    attempt: kept.attempt,
    folder,
    artifacts,
    failed: failed.map(({ artifact, because }) => ({ path: artifact.path, because })),
  };
}

const maxFailures = 20;

function report(kept: SealedManifest, of: { folder: string; outcome: FetchOutcome } & Pick<Context, "console">): void {
  const { console, folder, outcome } = of;
  const { fetched, failed } = outcome;
  for (const { artifact, because } of failed.slice(0, maxFailures)) console.note(`fleet: ${artifact.path} was not fetched: ${because}`);
  if (failed.length > maxFailures) console.note(`fleet: and ${failed.length - maxFailures} more`);
  const same = fetched.filter(({ how }) => how === "already there").length;
  const size = fetched.reduce((sum, { artifact }) => sum + artifact.bytes, 0);
  const already = same > 0 ? `, ${same} of them already there` : "";
  if (fetched.length > 0) console.out(`${count(fetched.length, "file")} in ${folder} (${bytes(size)}, verified${already})`);
  const notKept = kept.leftOut.length + (kept.leftOutMore ?? 0) + kept.missing.length + kept.lost.length;
  if (notKept > 0)
    console.note(
      `${notKept} ${notKept === 1 ? "entry was" : "entries were"} not kept: ${commandLine("artifacts", "list", kept.job, "--attempt", String(kept.attempt))}`,
    );
}

const inWords = ({ artifacts }: SealedManifest): string =>
  `${count(artifacts.length, "file")}, ${bytes(artifacts.reduce((sum, each) => sum + each.bytes, 0))}`;
const ofAttempt = ({ attempt }: SealedManifest, latest: number): string =>
  latest === 1 ? "" : `, of attempt ${attempt}${attempt === latest ? "" : ` (the latest is ${latest})`}`;
