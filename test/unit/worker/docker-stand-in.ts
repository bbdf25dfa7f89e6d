import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import * as z from "zod";

/**
 * Stands for the docker command line where there is no engine: `node docker-stand-in.ts FOLDER ARGUMENTS…`. It notes each
 * call and its environment in FOLDER/calls, keeps its containers in FOLDER/containers, and runs a container's program as a
 * plain process of this machine, out of the client's reach as an engine's are. Images are named by what happens with them.
 * Its messages are Docker's own. It knows the few options that the worker uses, and refuses others.
 */
const [folder = "", verb = "", ...args] = process.argv.slice(2);
const containers = join(folder, "containers");
mkdirSync(containers, { recursive: true });
appendFileSync(join(folder, "calls"), `${JSON.stringify({ args: [verb, ...args], env: process.env })}\n`);

const Container = z.object({
  id: z.string(),
  labels: z.array(z.string()),
  pid: z.number().optional(),
  OOMKilled: z.boolean(),
  ExitCode: z.number(),
  Error: z.string(),
  StartedAt: z.string(),
});
type Container = z.infer<typeof Container>;

const fileOf = (name: string): string => join(containers, name);
const read = (name: string): Container | undefined =>
  existsSync(fileOf(name)) ? Container.parse(JSON.parse(readFileSync(fileOf(name), "utf8"))) : undefined;
const write = (name: string, container: Container): void => writeFileSync(fileOf(name), JSON.stringify(container));

function isAlive(pid: number | undefined): pid is number {
  if (pid === undefined) return false;
  try {
    // What nobody has buried yet is dead all the same.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

function end(code: number, message = ""): never {
  if (message !== "") process.stderr.write(`${message}\n`);
  process.exit(code);
}

const noSuch = (name: string): never => end(1, `Error response from daemon: No such container: ${name}`);

async function pull(image = ""): Promise<never> {
  const before = readFileSync(join(folder, "calls"), "utf8")
    .split("\n")
    .filter((line) => line.includes('"args":["pull"')).length;
  process.stdout.write(`latest: Pulling from library/${image}\n`);
  switch (image) {
    case "missing":
      return end(1, "Error response from daemon: manifest for missing:latest not found: manifest unknown: manifest unknown");
    case "private":
      return end(
        1,
        "Error response from daemon: pull access denied for private, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
      );
    case "down":
      return end(1, 'Error response from daemon: Get "https://registry-1.docker.io/v2/": net/http: TLS handshake timeout');
    case "flaky":
      if (before < 3) return end(1, "Error response from daemon: toomanyrequests: You have reached your unauthenticated pull rate limit.");
      break;
    case "huge":
      process.stdout.write("3b1e2f: Downloading\n");
      await pause(60_000);
      break;
    default:
  }
  process.stdout.write(`Status: Downloaded newer image for ${image}:latest\n`);
  return end(0);
}

const flags = ["--init"];
type Options = { readonly values: ReadonlyMap<string, readonly string[]>; readonly image: string; readonly command: readonly string[] };

function optionsOf(given: readonly string[]): Options {
  const values = new Map<string, readonly string[]>();
  let at = 0;
  for (; given[at]?.startsWith("--"); at++) {
    const name = given[at] ?? "";
    if (!flags.includes(name)) values.set(name, [...(values.get(name) ?? []), given[++at] ?? ""]);
  }
  return { values, image: given[at] ?? "", command: given.slice(at + 1) };
}

async function run(): Promise<never> {
  const { values, image, command } = optionsOf(args);
  const name = values.get("--name")?.[0] ?? "";
  const container: Container = {
    id: Buffer.from(name).toString("hex").padEnd(64, "0").slice(0, 64),
    labels: [...(values.get("--label") ?? [])],
    OOMKilled: image === "hungry",
    ExitCode: 0,
    Error: "",
    StartedAt: "0001-01-01T00:00:00Z",
  };
  if (image === "unmakeable") end(125, 'docker: Error response from daemon: could not select device driver "" with capabilities: [[gpu]]');
  if (read(name) !== undefined) end(125, `docker: Error response from daemon: Conflict. The container name "/${name}" is already in use.`);
  write(name, container);
  if (command[0]?.startsWith("nowhere")) {
    const error = `exec: "${command[0]}": executable file not found in $PATH`;
    write(name, { ...container, ExitCode: 127, Error: error });
    end(127, `docker: Error response from daemon: failed to create task for container: ${error}: unknown`);
  }
  const work =
    values
      .get("--volume")
      ?.find((volume) => volume.endsWith(":/work"))
      ?.split(":")[0] ?? "/";
  const file = readFileSync(values.get("--env-file")?.[0] ?? "", "utf8");
  const env = Object.fromEntries(file.split("\n").flatMap((line) => (line.includes("=") ? [line.split(/=(.*)/s)] : [])));
  for (const passed of values.get("--env") ?? []) env[passed] = process.env[passed];
  const child = spawn(command[0] ?? "", command.slice(1), { cwd: work, env, detached: true, stdio: ["ignore", "inherit", "inherit"] });
  const started: Container = { ...container, ...(child.pid === undefined ? {} : { pid: child.pid }), StartedAt: new Date().toISOString() };
  write(name, started);
  const code = await new Promise<number>((resolve) => {
    child.once("exit", (exitCode, signal) => resolve(exitCode ?? (signal === "SIGKILL" ? 137 : 143)));
  });
  if (read(name) !== undefined) write(name, { ...started, ExitCode: code });
  return end(code);
}

async function stop(): Promise<never> {
  const name = args.at(-1) ?? "";
  const container = read(name) ?? noSuch(name);
  if (isAlive(container.pid)) process.kill(container.pid, "SIGTERM");
  for (const untilMs = Date.now() + Number(args[1]) * 1000; isAlive(container.pid) && Date.now() < untilMs; ) await pause(20);
  if (isAlive(container.pid)) process.kill(container.pid, "SIGKILL");
  return end(0);
}

function kill(name = ""): never {
  const container = read(name) ?? noSuch(name);
  if (!isAlive(container.pid)) end(1, `Error response from daemon: cannot kill container: ${name}: container is not running`);
  process.kill(container.pid, "SIGKILL");
  return end(0);
}

function remove(names: readonly string[]): never {
  for (const asked of names) {
    const name = readdirSync(containers).find((each) => each === asked || read(each)?.id.startsWith(asked));
    const container = name === undefined ? undefined : read(name);
    // In this order: whose client sees it end while it is still on record writes it down once more.
    if (name !== undefined) rmSync(fileOf(name));
    if (isAlive(container?.pid)) process.kill(container.pid, "SIGKILL");
  }
  return end(0);
}

function list(): never {
  const label = args.at(-1)?.replace(/^label=/, "") ?? "";
  const ids = readdirSync(containers).flatMap((name) => (read(name)?.labels.includes(label) ? [read(name)?.id.slice(0, 12)] : []));
  process.stdout.write(ids.map((id) => `${id}\n`).join(""));
  return end(0);
}

function inspect(name = ""): never {
  const { pid, OOMKilled, ExitCode, Error: error, StartedAt } = read(name) ?? noSuch(name);
  process.stdout.write(`${JSON.stringify({ Status: "", Running: isAlive(pid), OOMKilled, ExitCode, Error: error, StartedAt })}\n`);
  return end(0);
}

if (existsSync(join(folder, "no-engine"))) {
  end(verb === "run" ? 125 : 1, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?");
}
switch (verb) {
  case "pull":
    await pull(args[0]);
    break;
  case "run":
    await run();
    break;
  case "stop":
    await stop();
    break;
  case "kill":
    kill(args[0]);
    break;
  case "rm":
    if (existsSync(join(folder, "slow-removal"))) await pause(60_000);
    remove(args.filter((arg) => !arg.startsWith("--")));
    break;
  case "ps":
    list();
    break;
  case "inspect":
    inspect(args.at(-1));
    break;
  default:
    end(125, `unknown command ${verb}`);
}
