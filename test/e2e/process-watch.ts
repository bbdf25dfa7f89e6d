import { readdir, readFile, readlink } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

/** A process that runs. Its id is unique together with the time of its start. */
type Running = { readonly pid: number; readonly parent: number; readonly started: string };

/** The processes of one command, as Linux reports them. */
export type ProcessWatch = {
  /** Command lines of the processes that still run, and were ever seen below the command or have its mark. */
  left(): Promise<readonly string[]>;
  /** Addresses that processes of the command have listened on so far, for example `127.0.0.1:4566`. */
  listened(): Promise<ReadonlySet<string>>;
  stop(): void;
};

/** Interval between polls, which read all of /proc. Processes that a poll misses are recognised by their mark. */
const everyMs = 500;
/** Sockets are read only every few polls, because they stay open. */
const looksForSockets = 4;

/** Watches a process and its descendants. `mark` matches the environment or the arguments of its processes, and of no others. */
export function watchProcesses(root: number, mark: RegExp): ProcessWatch {
  const seen = new Map<string, number>();
  const sockets = new Set<string>();
  let stopped = false;
  let looks = 0;

  const look = async (): Promise<void> => {
    const all = await running();
    const children = Map.groupBy(all, (one) => one.parent);
    const known = all.filter((one) => one.pid === root || seen.get(nameOf(one)) !== undefined);
    for (let one = known.pop(); one; one = known.pop()) {
      seen.set(nameOf(one), one.pid);
      known.push(...(children.get(one.pid) ?? []).filter((child) => !seen.has(nameOf(child))));
    }
    looks += 1;
    if (looks % looksForSockets !== 0) return;
    const alive = new Set(all.map(nameOf));
    const tree = [...seen].filter(([name]) => alive.has(name)).map(([, pid]) => pid);
    for (const address of await listeningOf(tree)) sockets.add(address);
  };
  const watching = (async () => {
    while (!stopped) {
      await look();
      await pause(everyMs);
    }
  })();
  watching.catch(() => {
    stopped = true;
  });

  return {
    async left() {
      const found = await Promise.all(
        (await running()).map(async (one) => {
          const [line, environment] = await Promise.all([textOf(`/proc/${one.pid}/cmdline`), textOf(`/proc/${one.pid}/environ`)]);
          return seen.has(nameOf(one)) || mark.test(line) || mark.test(environment) ? [line.replaceAll("\0", " ").trim()] : [];
        }),
      );
      return found.flat();
    },
    async listened() {
      if (stopped) await watching;
      return sockets;
    },
    stop() {
      stopped = true;
    },
  };
}

const nameOf = (one: Running): string => `${one.pid}@${one.started}`;

/** Reads a file of /proc. Returns an empty text if the process has ended meanwhile. */
const textOf = (path: string): Promise<string> => readFile(path, "latin1").catch(() => "");

async function running(): Promise<readonly Running[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid): Promise<Running[]> => {
      const stat = await textOf(`/proc/${pid}/stat`);
      // The name is in parentheses and may contain anything, so count from the last parenthesis.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return stat === "" || fields[0] === "Z" ? [] : [{ pid: Number(pid), parent: Number(fields[1]), started: fields[19] ?? "" }];
    }),
  );
  return found.flat();
}

/** Returns the addresses of the TCP sockets on which these processes listen. */
async function listeningOf(pids: readonly number[]): Promise<readonly string[]> {
  const links = await Promise.all(
    pids.map(async (pid) => {
      const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
      return Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => "")));
    }),
  );
  const inodes = new Set(links.flat().flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const tables = await Promise.all([textOf("/proc/net/tcp"), textOf("/proc/net/tcp6")]);
  return tables.flatMap((table) =>
    table.split("\n").flatMap((row) => {
      const [, local = "", , state, , , , , , inode = ""] = row.trim().split(/\s+/);
      return state === listening && inodes.has(inode) ? [addressOf(local)] : [];
    }),
  );
}

const listening = "0A";

/** Converts `0100007F:11D6` to 127.0.0.1:4566. An IPv6 address stays in the kernel's notation. */
function addressOf(local: string): string {
  const [host = "", port = ""] = local.split(":");
  const readable = host.length === 8 ? [6, 4, 2, 0].map((at) => Number.parseInt(host.slice(at, at + 2), 16)).join(".") : `[${host}]`;
  return `${readable}:${Number.parseInt(port, 16)}`;
}
