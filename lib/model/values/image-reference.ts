import { own } from "./own.ts";

/**
 * The grammar of an image's name, as Docker's client defines it (github.com/distribution/reference): an optional registry, a repository
 * in lower case, then a tag, a digest, or both.
 */
const component = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const registry = String.raw`(?:${component}(?:\.${component})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?`;
const part = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const tag = String.raw`[\w][\w.-]{0,127}`;
const digest = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";
const reference = new RegExp(`^(${registry}/)?(${part}(?:/${part})*)(?::${tag})?(?:@(${digest}))?$`);

const longestName = 255;
const digestLengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/** Returns why Docker would not accept this as the name of an image, or undefined if it would. */
export function whyNoImage(text: string): string | undefined {
  const no = (why: string): string => `${JSON.stringify(text)} is not the name of a container image: ${why}`;
  if (/^[a-f0-9]{64}$/.test(text)) return no("it looks like an image's id; give the repository's name");
  const found = reference.exec(text);
  if (!found) return no(hintFor(text));
  const [, host = "", path = "", sum] = found;
  if (fullPath(host, path).length > longestName) return no(`its name has more than ${longestName} characters`);
  return sum === undefined || isDigest(sum) ? undefined : no("its digest must look like sha256: and 64 lower-case hex digits");
}

/** Adds the `library/` that Docker Hub puts before its official images. */
const fullPath = (host: string, path: string): string =>
  /^((index\.)?docker\.io\/)?$/.test(host) && !path.includes("/") ? `library/${path}` : path;

function isDigest(text: string): boolean {
  const [algorithm = "", hex = ""] = text.split(":");
  return hex.length === own(digestLengths, algorithm) && /^[a-f0-9]+$/.test(hex);
}

/** Returns what is wrong with the name and how to correct it. Docker itself only says "invalid reference format". */
function hintFor(text: string): string {
  if (/^https?:\/\//.test(text)) return "leave https:// out";
  const [first = "", ...rest] = text.replace(/@.*$/s, "").split("/");
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  const repository = (isHost ? rest : [first, ...rest]).join("/").replace(/:[^:]*$/, "");
  if (/[A-Z]/.test(repository) && /^[\w./-]+$/.test(repository)) return "a repository's name must be in lower case";
  return "it must look like REPOSITORY:TAG, such as pytorch/pytorch:2.9.0-cuda12.8 or 123456789012.dkr.ecr.eu-west-1.amazonaws.com/train:7";
}
