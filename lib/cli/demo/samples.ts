import { checksums, firstFiles, laterFile } from "./dataset.ts";

/** A message of the demonstration, and the expected outcome. */
export type Sample = {
  readonly team: string;
  readonly body: string;
  /** A few words about what the sample shows. */
  readonly shows: string;
  readonly ends: "succeeded" | "failed" | "rejected" | "cancelled";
  /** The event that happens to it while it runs. */
  readonly meets?: "interruption" | "cancellation";
  /** How many files of the dataset it reads. */
  readonly reads?: number;
  /** The expected contents of its artifacts, by path. */
  readonly leaves?: Readonly<Record<string, string>>;
};

const message = (job: object): string => JSON.stringify(job);
const numbers = (to: number): string => `${Array.from({ length: to }, (_, index) => index + 1).join("\n")}\n`;

/** The team that owns the dataset, and the dataset's name. */
export const dataTeam = "vision";
export const dataName = "pages";

/** Returns the jobs that the demonstration sends. `code` is the archive that code.ts packs. */
export const samples = (code: {
  readonly s3: string;
  readonly sha256: string;
}): { readonly first: readonly Sample[]; readonly later: Sample } => ({
  first: [
    {
      team: "research",
      shows: "trains, and leaves a model, which is sealed",
      ends: "succeeded",
      leaves: { "model.txt": numbers(50_000), "metrics/loss.txt": "0.125\n" },
      body: message({
        id: "train",
        command: ["sh", "-c", "echo training; sleep 1; seq 1 50000 > model.txt; mkdir metrics; echo 0.125 > metrics/loss.txt"],
        artifacts: ["model.txt", "metrics"],
        maxRuntimeSeconds: 60,
      }),
    },
    {
      team: "research",
      shows: "fails once, and is retried",
      ends: "succeeded",
      body: message({
        id: "flaky",
        command: ["sh", "-c", 'if [ "$FLEETWRIGHT_ATTEMPT" = 1 ]; then echo "no luck this time" >&2; exit 3; fi; sleep 1'],
        retries: 1,
        maxRuntimeSeconds: 60,
      }),
    },
    {
      team: "vision",
      shows: "runs code from an archive on S3",
      ends: "succeeded",
      leaves: { "greeting.txt": "hello from vision\n" },
      body: message({
        id: "with-code",
        command: ["sh", "greet.sh"],
        code,
        artifacts: ["greeting.txt"],
        gpus: { count: 1, memoryGiB: 20 },
        maxRuntimeSeconds: 60,
      }),
    },
    {
      team: "research",
      shows: "fails, and its reason says why",
      ends: "failed",
      body: message({ id: "broken", command: ["sh", "-c", "echo 'cannot open dataset' >&2; exit 7"], maxRuntimeSeconds: 60 }),
    },
    readsWhole("with-data", firstFiles),
    {
      team: dataTeam,
      shows: "runs as a gang of two: each member reads its part of the dataset, and they add it up over the network",
      ends: "succeeded",
      reads: firstFiles.length,
      leaves: { "sums.txt": checksums(firstFiles) },
      body: message({
        id: "gang",
        nodes: 2,
        command: ["node", "gang.mjs", dataName],
        code,
        datasets: [{ name: dataName, share: "part" }],
        artifacts: ["sums.txt"],
        maxRuntimeSeconds: 60,
      }),
    },
    {
      team: "research",
      shows: "loses its spot instance while it runs, and runs again elsewhere",
      ends: "succeeded",
      meets: "interruption",
      leaves: { "attempt.txt": "2\n" },
      body: message({
        id: "interrupted",
        command: ["sh", "-c", '[ "$FLEETWRIGHT_ATTEMPT" -gt 1 ] || sleep 100; echo "$FLEETWRIGHT_ATTEMPT" > attempt.txt'],
        artifacts: ["attempt.txt"],
        maxRuntimeSeconds: 120,
      }),
    },
    {
      team: "research",
      shows: "is cancelled while it runs",
      ends: "cancelled",
      meets: "cancellation",
      body: message({ id: "regretted", command: ["sleep", "100"], maxRuntimeSeconds: 120 }),
    },
    {
      team: "research",
      shows: "asks for more GPUs than any instance has",
      ends: "rejected",
      body: message({ id: "too-large", command: ["python", "train.py"], gpus: 9 }),
    },
    { team: "research", shows: "is not even JSON", ends: "rejected", body: '{"command": ["python", "train.py"' },
    { team: "vision", shows: "has a field that does not exist", ends: "rejected", body: message({ command: ["true"], gpu: 2 }) },
    {
      team: "vision",
      shows: "asks for a gang that is larger than its pool's limit",
      ends: "rejected",
      body: message({ id: "crowd", command: ["true"], nodes: 48 }),
    },
    {
      team: "research",
      shows: "reads a dataset that its team does not have",
      ends: "rejected",
      body: message({ id: "no-data", command: ["true"], datasets: [dataName] }),
    },
  ],
  later: readsWhole("with-more-data", [...firstFiles, laterFile]),
});

const readsWhole = (id: string, files: typeof firstFiles): Sample => ({
  team: dataTeam,
  shows: `reads a dataset of ${files.length} files from S3`,
  ends: "succeeded",
  reads: files.length,
  leaves: { "sums.txt": checksums(files) },
  body: message({
    id,
    command: ["sh", "-c", `cd "$FLEETWRIGHT_DATA/${dataName}" && sha256sum pages/* > "$HOME/sums.txt"`],
    datasets: [dataName],
    artifacts: ["sums.txt"],
    maxRuntimeSeconds: 60,
  }),
});
