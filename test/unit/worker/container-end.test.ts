import { expect, test } from "vitest";
import { type ContainerState, endOf, type Inspected } from "../../../lib/worker/run/container-end.ts";

const ended = (over: Partial<ContainerState> = {}): ContainerState => ({
  Running: false,
  OOMKilled: false,
  ExitCode: 0,
  Error: "",
  StartedAt: "2026-06-01T12:00:00.123456789Z",
  ...over,
});
const never = (over: Partial<ContainerState> = {}) => ended({ StartedAt: "0001-01-01T00:00:00Z", ...over });
const spec = { memoryGiB: 8 };

test.each<[string, { code: number; reason?: string }, Inspected, object]>([
  ["successfully", { code: 0 }, ended(), { kind: "exited", code: 0 }],
  ["with an exit code", { code: 3, reason: "out of data" }, ended({ ExitCode: 3 }), { kind: "exited", code: 3, reason: "out of data" }],
  [
    "with an exit code of its program that is also Docker's own",
    { code: 125, reason: "x" },
    ended({ ExitCode: 125 }),
    { kind: "exited", code: 125, reason: "x" },
  ],
  [
    "out of memory",
    { code: 137, reason: "step 9" },
    ended({ ExitCode: 137, OOMKilled: true }),
    { kind: "exited", code: 137, reason: "ran out of its 8 GiB of memory; step 9" },
  ],
  [
    "by SIGKILL without a known reason",
    { code: 137 },
    ended({ ExitCode: 137 }),
    { kind: "exited", code: 137, reason: expect.stringContaining("possibly because it ran out of memory") },
  ],
  [
    "because Docker could not create it",
    { code: 125, reason: "could not select device driver" },
    "none",
    { kind: "failed", again: true, reason: "Docker could not create the container: could not select device driver" },
  ],
  [
    "because Docker refused its command line, as on every node",
    { code: 125, reason: 'invalid argument "0.3333333333333333" for "--cpus" flag: value is too precise' },
    "none",
    { kind: "failed", again: false, reason: expect.stringContaining("Docker refused the job's command line: invalid argument") },
  ],
  [
    "because its image name is not valid",
    { code: 125, reason: "docker: invalid reference format" },
    "none",
    { kind: "failed", again: false },
  ],
  [
    "because Docker could not start it",
    { code: 125, reason: "port is taken" },
    never({ ExitCode: 128 }),
    { kind: "failed", again: true, reason: expect.stringContaining("port is taken") },
  ],
  [
    "because its command does not exist",
    { code: 127, reason: "docker: Error response from daemon" },
    never({ ExitCode: 127, Error: 'exec: "pyhton": executable file not found in $PATH' }),
    { kind: "exited", code: 127, reason: 'command not found in the image: exec: "pyhton": executable file not found in $PATH' },
  ],
  [
    "because its command is not executable",
    { code: 126, reason: "permission denied" },
    never(),
    { kind: "exited", code: 126, reason: expect.stringContaining("permission denied") },
  ],
  [
    "because its image has no command",
    { code: 125, reason: "docker: Error response from daemon: no command specified" },
    "none",
    { kind: "failed", again: false },
  ],
  ["together with its engine", { code: 125, reason: "error during connect" }, ended({ ExitCode: 137 }), { kind: "failed", again: true }],
  ["for Docker's client while it still runs", { code: 137 }, ended({ Running: true }), { kind: "failed", again: true }],
  ["without a state from Docker", { code: 0 }, "unknown", { kind: "failed", again: true }],
])("the end of a job is known from a container that ended %s", (_how, client, inspected, end) => {
  expect(endOf(client, inspected, spec)).toMatchObject(end);
});
