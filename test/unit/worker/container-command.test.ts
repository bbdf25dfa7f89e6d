import { describe, expect, test } from "vitest";
import { containerVariables, runArguments } from "../../../lib/worker/run/container-command.ts";
import type { JobStart } from "../../../lib/worker/run/job-runtime.ts";
import { systemClock } from "../../../lib/worker/runtime/clock.ts";
import { runOrder } from "./http-fakes.ts";

const root = "/var/lib/fleetwright";
const folder = `${root}/attempts/vision/train-1/1`;

const start = (spec: Parameters<typeof runOrder>[0] = {}, over: Partial<JobStart> = {}): JobStart => ({
  order: runOrder({ image: "pytorch/pytorch:2.9.0-cuda12.8", command: ["python", "train.py"], ...spec }),
  folder: { root: folder, work: `${folder}/work`, tmp: `${folder}/tmp`, archive: `${folder}/code.tar.gz` },
  gpus: [0, 1],
  output: () => undefined,
  onLine: () => {},
  tries: { clock: systemClock, random: () => 0, signal: new AbortController().signal, most: 1 },
  ...over,
});
const setting = { root, envFile: `${folder}/container.env`, user: { uid: 991, gid: 990 } };

describe("docker run", () => {
  test("docker run gets the user, limits, GPUs by index and folders, but no values of the environment", () => {
    const args = runArguments(start({ env: { TOKEN: "hush" }, vcpus: 1.5, memoryGiB: 10 }, { data: "/d/imagenet" }), setting);
    expect(args.join(" ")).toBe(
      [
        "run --name fleetwright-vision.train-1.1 --label fleetwright.attempt=vision/train-1/1",
        `--label fleetwright.folder=${root} --init --pull never --stop-signal SIGTERM --network host --userns host`,
        '--user 991:990 --cap-drop ALL --security-opt no-new-privileges --gpus "device=0,1"',
        "--memory 10240m --memory-swap 10240m --cpus 1.5 --pids-limit 16384 --shm-size 5120m --oom-score-adj 300 --log-driver none",
        `--workdir /work --volume ${folder}/work:/work --volume ${folder}/tmp:/tmp --volume /d/imagenet:/data:ro`,
        `--env-file ${folder}/container.env --env FLEETWRIGHT_ARTIFACTS pytorch/pytorch:2.9.0-cuda12.8 python train.py`,
      ].join(" "),
    );
  });

  test("docker run gets a single GPU by its index, and half of the memory, rounded up, as shared memory", () => {
    const args = runArguments(start({ memoryGiB: 2.0005 }, { gpus: [2] }), setting);
    const after = (option: string) => args[args.indexOf(option) + 1];
    expect(after("--gpus")).toBe('"device=2"');
    expect(["--memory", "--memory-swap", "--shm-size"].map(after)).toEqual(["2049m", "2049m", "1025m"]);
    expect(containerVariables(start({}, { gpus: [2] })).file).toContain("\nCUDA_VISIBLE_DEVICES=0\nNVIDIA_VISIBLE_DEVICES=2\n");
  });

  test("docker run gets no options for GPUs or data that the job does not have, and runs the image's own command", () => {
    const args = runArguments(start({ command: [] }, { gpus: [] }), setting);
    expect(args).not.toContain("--gpus");
    expect(args.join(" ")).not.toContain("/data");
    expect(args.at(-1)).toBe("pytorch/pytorch:2.9.0-cuda12.8");
  });

  test.each([
    [0.1 + 0.2, "0.3"],
    [1 / 3, "0.333333333"],
    [2 / 3, "0.666666667"],
    [3.99999999999, "4"],
    [0.1, "0.1"],
    [1024, "1024"],
  ])("docker run gets %d CPUs with at most nine decimals, because Docker refuses more", (vcpus, cpus) => {
    const args = runArguments(start({ vcpus }), setting);
    expect(args[args.indexOf("--cpus") + 1]).toBe(cpus);
  });

  test.each(["--privileged", "-v/:/host", "", "a b", "x;reboot"])(
    "docker run never gets an image name that it could mistake for an option: %s",
    (image) => {
      expect(() => runArguments(start({ image }), setting)).toThrow("is not the name of a container image");
    },
  );
});

describe("a container's variables", () => {
  const variables = (job: JobStart) =>
    Object.fromEntries(
      containerVariables(job)
        .file.trimEnd()
        .split("\n")
        .map((line) => line.split(/=(.*)/s)),
    );

  test("a container's variables name the paths inside, keep the image's search path, and number its GPUs from 0", () => {
    const read = variables(start({ env: { EPOCHS: "3", EMPTY: "" } }, { gpus: [2, 3], data: "/d/imagenet" }));
    expect(read).toMatchObject({
      HOME: "/work",
      TMPDIR: "/tmp",
      EPOCHS: "3",
      EMPTY: "",
      FLEETWRIGHT_DATA: "/data",
      FLEETWRIGHT_FOLDER: `${folder}/work`,
      CUDA_VISIBLE_DEVICES: "0,1",
      NVIDIA_VISIBLE_DEVICES: "2,3",
    });
    expect(Object.keys(read)).not.toContain("PATH");
  });

  test("a container's variables cannot add GPUs that are not the job's", () => {
    const env = { NVIDIA_VISIBLE_DEVICES: "all", CUDA_VISIBLE_DEVICES: "0,1,2,3" };
    expect(variables(start({ env }, { gpus: [] }))).toMatchObject({ NVIDIA_VISIBLE_DEVICES: "void", CUDA_VISIBLE_DEVICES: "" });
  });

  test("only Fleetwright's own multi-line variable is passed through docker's environment", () => {
    const job = start({ artifacts: ["model", "logs"], env: { DOCKER_HOST: "tcp://evil:2375", LD_PRELOAD: "/work/evil.so" } });
    expect(containerVariables(job).client).toEqual({ FLEETWRIGHT_ARTIFACTS: "model\nlogs" });
    expect(variables(job)).toMatchObject({ DOCKER_HOST: "tcp://evil:2375", LD_PRELOAD: "/work/evil.so" });
  });

  test.each(["a\nNVIDIA_VISIBLE_DEVICES=all", "a\r", "\0"])("a container's variables may not contain a line break: %j", (value) => {
    expect(() => containerVariables(start({ env: { KEY: value } }))).toThrow("the variable KEY contains a line break");
  });
});
