import { printable } from "../../model/files/byte-name.ts";
import { bytes, count } from "../terminal/amount.ts";
import { gitIgnoreFile, ignoreFile } from "./ignore-files.ts";
import type { Ignored } from "./ignored.ts";
import type { ListedFolder, UnpackedEntry } from "./listing.ts";

/** Returns lines for stderr that say what is sent of a folder and what is not. */
export function packedLines(folder: string, packed: ListedFolder & { readonly packedBytes: number }): readonly string[] {
  return [
    `${folder}: ${count(packed.files, "file")}, ${bytes(packed.bytes)}, ${bytes(packed.packedBytes)} packed`,
    ...ignoredLines(packed.ignored),
    ...(packed.leftOut.length > 0
      ? [`left out because they cannot be packed (--strict makes this an error; exclude them in ${ignoreFile} to hide this):`]
      : []),
    ...leftOutLines(packed.leftOut),
  ];
}

function ignoredLines({ files, bytes: size, more, largest }: Ignored): readonly string[] {
  const [first] = largest;
  if (first === undefined) return more ? [`${gitIgnoreFile} excluded more than could be counted`] : [];
  const names = largest.map((file) => `${printable(file.path)} (${bytes(file.bytes)})`).join(", ");
  return [
    `${gitIgnoreFile} excluded ${more ? "more than " : ""}${count(files, "file")}, ${bytes(size)}; ${files === 1 ? "it is" : "the largest:"} ${names}`,
    `to send one anyway, add a line to ${ignoreFile}: ${ruleFor(first.path)}`,
  ];
}

/** Returns a rule that includes just this file. */
const ruleFor = (path: string): string =>
  `!/${printable(path.replaceAll(/[*?[\\]/g, String.raw`\$&`).replace(/ +$/, (blanks) => blanks.replaceAll(" ", "\\ ")))}`;

const maxNamed = 20;

export function leftOutLines(leftOut: readonly UnpackedEntry[]): readonly string[] {
  const lines = leftOut.slice(0, maxNamed).map(({ path, why }) => `  ${printable(path)}: ${why}`);
  const more = leftOut.length - lines.length;
  return more > 0 ? [...lines, `  and ${more} more`] : lines;
}
