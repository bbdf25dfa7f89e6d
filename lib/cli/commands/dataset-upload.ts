import { stat } from "node:fs/promises";
import { DatasetName } from "../../../events/names.ts";
import { exitCodes, UsageError } from "../invocation/exit.ts";
import { type Entries, entriesOf } from "../pack/entries.ts";
import type { Context } from "../session/context.ts";
import { uploadedSource } from "../session/stores.ts";
import { teamOf } from "../session/team.ts";
import { bytes, count } from "../terminal/amount.ts";
import { withProgress } from "../terminal/progress.ts";
import { type Synced, syncFiles } from "./dataset-sync.ts";
import { putDataset, showSet } from "./datasets.ts";
import type { ShowJobOptions } from "./jobs/job.ts";

export type UploadOptions = ShowJobOptions & {
  /** Removes files from the dataset that are no longer in the folder. */
  readonly delete?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
};

/** The most files that one message names. */
const maxNamed = 10;

/**
 * Makes a dataset equal to a folder, and adds it. Files that are already there are not sent, so a repeated upload sends what has changed
 * or what failed before. If a file cannot be sent, returns exit code 1 and does not add the dataset.
 */
export async function uploadDataset(dataset: string, folder: string, on: Context & { readonly options: UploadOptions }): Promise<number> {
  const { connection, console, options } = on;
  const name = DatasetName.safeParse(dataset);
  if (!name.success) throw new UsageError(`${dataset} is not a valid name of a dataset: ${name.error.issues[0]?.message}`);
  const team = await teamOf(options.team, connection);
  const { paths, bytes: size, odd } = await filesIn(folder);
  if (odd.length > 0)
    console.note(
      `cannot be uploaded: ${odd.slice(0, maxNamed).join(", ")}${odd.length > maxNamed ? ` and ${odd.length - maxNamed} more` : ""}`,
    );
  const dryRun = options.dryRun ?? false;
  const synced = await withProgress(console, `comparing and uploading ${count(paths.length, "file")}, ${bytes(size)}`, (report) =>
    syncFiles(connection.files, {
      of: { team, dataset },
      folder,
      paths,
      remove: options.delete ?? false,
      dryRun,
      onProgress: ({ files, bytes: sent }) => report(`${count(files, "file")} done, ${bytes(sent)} sent`),
    }),
  );
  if (dryRun) return printDryRun({ team, dataset, synced }, on);
  for (const line of summaryLines(synced, options.delete ?? false)) console.note(line);
  if (synced.failed.length > 0) {
    if (options.json) console.out(JSON.stringify({ team, dataset, upload: numbersOf(synced) }));
    return exitCodes.failed;
  }
  const added = await putDataset(dataset, { ...options, source: uploadedSource(connection.deployment, { team, dataset }) }, on);
  return showSet(added, { ...options, more: { upload: numbersOf(synced) } }, on);
}

async function filesIn(folder: string): Promise<Entries> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) throw new UsageError(`there is no folder ${folder}`);
  const entries = await entriesOf(folder);
  if (entries.paths.length === 0) throw new UsageError(`${folder} contains no files`);
  return entries;
}

function printDryRun(
  of: { team: string; dataset: string; synced: Synced },
  { console, options }: Context & { options: UploadOptions },
): number {
  const { team, dataset, synced } = of;
  const { uploaded, uploadedBytes, unchanged, removed, remaining, failed } = synced;
  if (options.json) {
    console.out(JSON.stringify({ team, dataset, dryRun: true, upload: uploaded, unchanged, remove: removed, remaining, failed }));
  } else {
    for (const path of uploaded) console.out(`upload ${path}`);
    for (const path of removed) console.out(`remove ${path}`);
    console.note(`would upload ${uploaded.length} (${bytes(uploadedBytes)}), leave ${unchanged} unchanged, remove ${removed.length}`);
    for (const line of trouble(synced, options.delete ?? false)) console.note(line);
  }
  return failed.length > 0 ? exitCodes.failed : exitCodes.ok;
}

export const summaryLines = (synced: Synced, removes: boolean): string[] => [
  `uploaded ${synced.uploaded.length} (${bytes(synced.uploadedBytes)}), unchanged ${synced.unchanged}, removed ${synced.removed.length}`,
  ...trouble(synced, removes),
];

function trouble({ remaining, failed, untried }: Synced, removes: boolean): string[] {
  const lines: string[] = [];
  if (failed.length > 0) {
    lines.push(`${count(failed.length, "file")} failed:`, ...listed(failed, ({ path, because }) => `  ${path}: ${because}`));
    if (untried > 0) lines.push(`${count(untried, "file")} not tried, because too many failed`);
    lines.push("run the command again to send the rest; files that are already there are not sent again");
  }
  if (remaining.length > 0) {
    const what = `${count(remaining.length, "file")} no longer in the folder ${remaining.length === 1 ? "remains" : "remain"} in the dataset`;
    const how = removes ? "nothing is removed because files failed" : `--delete removes ${remaining.length === 1 ? "it" : "them"}`;
    lines.push(`${what}: ${listed(remaining, (path) => path).join(", ")}; ${how}`);
  }
  return lines;
}

const listed = <T>(all: readonly T[], line: (one: T) => string): string[] => [
  ...all.slice(0, maxNamed).map(line),
  ...(all.length > maxNamed ? [`and ${all.length - maxNamed} more`] : []),
];

const numbersOf = ({ uploaded, unchanged, removed, remaining, failed, untried }: Synced) => ({
  uploaded: uploaded.length,
  unchanged,
  removed: removed.length,
  remaining: remaining.length,
  failed,
  untried,
});
