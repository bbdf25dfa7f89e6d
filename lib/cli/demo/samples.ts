import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "tar";

/** One message of the demonstration, and what has to become of it. */
export type Sample = {
  readonly team: string;
  readonly body: string;
  /** What it shows, in a few words. */
  readonly shows: string;
  readonly ends: "succeeded" | "failed" | "rejected";
  /** What its artifacts hold when they come back, by path. */
  readonly leaves?: Readonly<Record<string, string>>;
};

const message = (job: object): string => JSON.stringify(job);
const numbers = (to: number): string => `${Array.from({ length: to }, (_, index) => index + 1).join("\n")}\n`;

/** The jobs that the demonstration sends. `code` is an archive that holds `greet.sh`. */
export const samples = (code: { readonly s3: string; readonly sha256: string }): readonly Sample[] => [
  {
    team: "research",
    shows: "trains, and leaves a model that is sealed",
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
    shows: "fails once and is tried again",
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
    shows: "fails for good, and says why",
    ends: "failed",
    body: message({ id: "broken", command: ["sh", "-c", "echo 'cannot open dataset' >&2; exit 7"], maxRuntimeSeconds: 60 }),
  },
  {
    team: "research",
    shows: "asks for what no machine has",
    ends: "rejected",
    body: message({ id: "too-large", command: ["python", "train.py"], gpus: 9 }),
  },
  { team: "research", shows: "is not even JSON", ends: "rejected", body: '{"command": ["python", "train.py"' },
];

/** Packs the sample's code, hands the archive to `work`, and removes it. */
export async function withSampleCode<T>(work: (archive: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "fleetwright-code-"));
  try {
    await writeFile(join(folder, "greet.sh"), 'echo "hello from $FLEETWRIGHT_TEAM" > greeting.txt\n');
    const archive = join(folder, "code.tar.gz");
    await create({ gzip: true, file: archive, cwd: folder, portable: true }, ["greet.sh"]);
    return await work(archive);
  } finally {
    await rm(folder, { recursive: true });
  }
}
