import { type SealedManifest, summaryOf } from "../model/artifact.ts";
import { inWords } from "../model/errors/in-words.ts";

/** A reason is read by people, and has to fit into the job's item. */
const mostNames = 5;
const longestName = 200;

const cut = (text: string): string => (text.length <= longestName ? text : `${text.slice(0, longestName - 1)}…`);
const count = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;

/** The first of them, and how many more there are. */
function named(names: readonly string[]): string {
  const first = names.slice(0, mostNames).map(cut).join(", ");
  return names.length > mostNames ? `${first} and ${names.length - mostNames} more` : first;
}

/** Why a job fails whose upload cannot be read, or is not there (any more). */
export const whyNotKept = (error: unknown): string =>
  `could not keep its artifacts: ${error === undefined ? "its upload is no longer there" : inWords(error)}`;

/** Why a job fails whose run ended with 0; undefined when it does not. What is kept can be fetched all the same. */
export function whyFailed(manifest: SealedManifest): string | undefined {
  const { artifacts, lost, failed } = manifest;
  const reasons = [
    ...(failed === undefined ? [] : [failed]),
    ...(lost.length > 0
      ? [`could not keep ${lost.length} of its artifacts: ${named(lost.map(({ path, because }) => `${path} (${because})`))}`]
      : []),
  ];
  if (reasons.length === 0) return undefined;
  const rest = artifacts.length > 0 ? [`${count(artifacts.length, "file is", "files are")} kept`] : [];
  return [...reasons, ...rest].join("; ");
}

/** What a job that succeeds did not leave, though it was named, or could not be kept; undefined for nothing. */
export function whatIsMissing(manifest: SealedManifest): string | undefined {
  const { missing } = manifest;
  const { leftOut } = summaryOf(manifest);
  const said = [
    ...(missing.length > 0
      ? [`${count(missing.length, "named artifact was", "named artifacts were")} not there: ${named(missing.map((name) => `"${name}"`))}`]
      : []),
    ...(leftOut > 0 ? [`${count(leftOut, "entry was", "entries were")} left out`] : []),
  ];
  return said.length > 0 ? said.join("; ") : undefined;
}
