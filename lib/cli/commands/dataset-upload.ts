import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import pMap from "p-map";
import { DatasetName } from "../../../events/job.ts";
import { bytes, count } from "../amount.ts";
import { UsageError } from "../exit.ts";
import { type Entries, entriesOf } from "../pack/entries.ts";
import { withProgress } from "../progress.ts";
import { uploadedSource } from "../stores.ts";
import { teamOf } from "../team.ts";
import { addDataset } from "./datasets.ts";
import type { Context, JobOptions } from "./job.ts";

/** As many files are on their way at a time. */
const concurrency = 8;

/** Uploads a folder's files to where the team's datasets lie, and adds them as one. Done again, it replaces what has changed by what is there now. */
export async function uploadDataset(dataset: string, folder: string, on: Context & { readonly options: JobOptions }): Promise<number> {
  const { connection, console, options } = on;
  const name = DatasetName.safeParse(dataset);
  if (!name.success) throw new UsageError(`${dataset} cannot be its name: ${name.error.issues[0]?.message}`);
  const team = await teamOf(options.team, connection);
  const { paths, bytes: size } = await filesIn(folder);
  let sent = 0;
  await withProgress(console, `uploading ${count(paths.length, "file")}, ${bytes(size)}`, (tell) =>
    pMap(
      paths,
      async (path) => {
        const file = join(folder, path);
        await connection.files.put({ team, dataset }, { path, bytes: (await stat(file)).size, open: () => createReadStream(file) });
        sent += 1;
        tell(`${sent} done`);
      },
      { concurrency },
    ),
  );
  if (!options.json) console.note(`uploaded ${count(paths.length, "file")}, ${bytes(size)}`);
  return addDataset(dataset, { ...options, source: uploadedSource(connection.deployment, { team, dataset }) }, on);
}

async function filesIn(folder: string): Promise<Entries> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) throw new UsageError(`there is no folder ${folder}`);
  const entries = await entriesOf(folder);
  if (entries.paths.length === 0) throw new UsageError(`${folder} holds no files`);
  return entries;
}
