import * as z from "zod";
import type { NotKept, Upload } from "../../lib/model/artifact.ts";
import { FleetError } from "../../lib/model/fleet-error.ts";
import { JobId, TeamName } from "../names.ts";
import { LeftOut, maxLeftOut, UploadedArtifact } from "./upload.ts";

/** The frame of a manifest. Its entries are parsed one by one, because a single wrong entry must not cost the others. */
const Frame = z.object({
  version: z.literal(2),
  team: TeamName,
  job: JobId,
  attempt: z.int().min(1),
  artifacts: z.array(z.unknown()),
  leftOut: z.array(z.unknown()).default([]),
  leftOutMore: z.int().min(0).catch(0).default(0),
  missing: z.array(z.string()).catch([]).default([]),
  failed: z.string().min(1).optional().catch(undefined),
  incomplete: z.literal(true).optional().catch(undefined),
});

const maxMissing = 100;
const longestPath = 8_192;
const longestReason = 2_000;

/** Parses the manifest that was found at an attempt's key. Throws a FleetError, in words for the team, if it is not that attempt's manifest. */
export function readManifest(of: { readonly team: string; readonly job: string; readonly attempt: number }, text: string): Upload {
  const frame = frameOf(text);
  const { team, job, attempt } = frame;
  if (team !== of.team || job !== of.job || attempt !== of.attempt) {
    throw unreadable(`it is the list of ${team}/${job}/${attempt}, but was uploaded as that of ${of.team}/${of.job}/${of.attempt}`);
  }
  const leftOut = frame.leftOut.slice(0, maxLeftOut).flatMap((each) => LeftOut.safeParse(each).data ?? []);
  const leftOutMore = frame.leftOut.length - leftOut.length + frame.leftOutMore;
  return {
    ...artifactsOf(frame),
    leftOut,
    ...(leftOutMore > 0 ? { leftOutMore } : {}),
    missing: frame.missing.slice(0, maxMissing),
    ...(frame.failed === undefined ? {} : { failed: frame.failed.slice(0, longestReason) }),
    ...(frame.incomplete && { incomplete: true }),
  };
}

function frameOf(text: string): z.infer<typeof Frame> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw unreadable("it is not JSON", cause);
  }
  const parsed = Frame.safeParse(value);
  if (!parsed.success) throw unreadable("it does not have the form of a manifest", parsed.error);
  return parsed.data;
}

const unreadable = (why: string, cause?: unknown): FleetError =>
  new FleetError("manifest", `the list of files that the worker uploaded cannot be read: ${why}`, { cause });

function artifactsOf({ artifacts }: z.infer<typeof Frame>): Pick<Upload, "artifacts" | "refused"> {
  const kept = new Map<string, UploadedArtifact>();
  const refused: NotKept[] = [];
  for (const each of artifacts) {
    const parsed = UploadedArtifact.safeParse(each);
    if (!parsed.success) refused.push({ path: pathOf(each), because: "it is not named or described as a file that can be kept" });
    else if (kept.has(parsed.data.path)) refused.push({ path: parsed.data.path, because: "another file has the same path" });
    else kept.set(parsed.data.path, parsed.data);
  }
  return { artifacts: [...kept.values()], refused };
}

const WithPath = z.object({ path: z.string().min(1) });
const pathOf = (entry: unknown): string => WithPath.safeParse(entry).data?.path.slice(0, longestPath) ?? "(no name)";
