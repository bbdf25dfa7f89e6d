import type { Command } from "commander";
import { asMeant } from "../invocation/caller-folder.ts";
import { json, team } from "./options.ts";
import type { Session } from "./session.ts";

export function addDatasets(program: Command, { run, context }: Session): void {
  const load = () => import("../commands/datasets.ts");
  program
    .command("datasets")
    .description("list a team's datasets")
    .addOption(team())
    .addOption(json())
    .addHelpText("after", "\nExample:\n  fleet datasets --team research")
    .action((options) => run(load().then(async ({ datasets }) => datasets(options, await context()))));

  const dataset = program
    .command("dataset")
    .description("upload, add, show or remove a dataset")
    .addHelpText(
      "after",
      "\nExamples:\n  fleet dataset upload images ./images\n  fleet dataset add images s3://bucket/images/\n  fleet dataset show images\n  fleet dataset rm images",
    );
  dataset
    .command("add")
    .description("make files on S3 a dataset: nodes fetch them once, and jobs read them below $FLEETWRIGHT_DATA")
    .argument("<name>")
    .argument("<source>", "s3://bucket/prefix/")
    .option("--replace", "replace the source if the dataset has another one")
    .addOption(team())
    .addOption(json())
    .addHelpText(
      "after",
      "\nExample:\n  fleet dataset add images s3://bucket/images/\n  fleet dataset add images s3://bucket/images-2/ --replace",
    )
    .action((name: string, source: string, options) =>
      run(load().then(async ({ addDataset }) => addDataset(name, { ...options, source }, await context()))),
    );
  dataset
    .command("upload")
    .description("upload a folder as a dataset; files that are already there are not sent")
    .argument("<name>")
    .argument("<folder>")
    .option("--delete", "remove files from the dataset that are no longer in the folder")
    .option("--dry-run", "print what would be uploaded and removed, and change nothing")
    .addOption(team())
    .addOption(json())
    .addHelpText(
      "after",
      "\nExamples:\n  fleet dataset upload images ./images\n  fleet dataset upload images ./images --delete --dry-run\n\nA .fleetignore file lists what is not uploaded, in the syntax of .gitignore.",
    )
    .action((name: string, folder: string, options) =>
      run(
        import("../commands/dataset-upload.ts").then(async ({ uploadDataset }) =>
          uploadDataset(name, asMeant(folder), { ...(await context()), options }),
        ),
      ),
    );
  dataset
    .command("show")
    .description("show one dataset")
    .argument("<name>")
    .addOption(team())
    .addOption(json())
    .addHelpText("after", "\nExample:\n  fleet dataset show images --json")
    .action((name: string, options) => run(load().then(async ({ showDataset }) => showDataset(name, options, await context()))));
  dataset
    .command("rm")
    .description("remove a dataset; its files stay on S3")
    .argument("<name>")
    .addOption(team())
    .addOption(json())
    .addHelpText("after", "\nExample:\n  fleet dataset rm images")
    .action((name: string, options) => run(load().then(async ({ removeDataset }) => removeDataset(name, options, await context()))));
}
