import { readdir, readFile, readlink } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

/** A process that is not over; with the time of its start its id names one process only. */
type Running = { readonly pid: number; readonly parent: number; readonly started: string };

/** What became of one command's processes, as Linux tells it. */
export type ProcessWatch = {
  /** Command lines of what still runs of all that was ever seen below the command, or says by its environment or arguments that it belongs to it. */
  left(): Promise<readonly string[]>;
  /** Addresses that processes of the command listened on so far, such as `127.0.0.1:4566`. */
  listened(): Promise<ReadonlySet<string>>;
  stop(): void;
};

/** A look reads all of /proc. What is missed for it says itself to whom it belongs. */
const everyMs = 500;
/** Sockets stay, so every few looks are enough. */
const looksForSockets = 4;

/** Watches a process and all that descends from it. `mark`: what the environment or the arguments of its processes hold and no other's do. */
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

/** Of a process that ended while we looked, nothing. */
const textOf = (path: string): Promise<string> => readFile(path, "latin1").catch(() => "");

async function running(): Promise<readonly Running[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid): Promise<Running[]> => {
      const stat = await textOf(`/proc/${pid}/stat`);
      // The name stands in parentheses and may hold anything, so count from the last one.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return stat === "" || fields[0] === "Z" ? [] : [{ pid: Number(pid), parent: Number(fields[1]), started: fields[19] ?? "" }];
    }),
  );
  return found.flat();
}

/** The addresses of the TCP sockets on which these processes listen. */
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

/** `0100007F:11D6` is 127.0.0.1:4566; an IPv6 address stays as the kernel has it. */
function addressOf(local: string): string {
  const [host = "", port = ""] = local.split(":");
  const readable = host.length === 8 ? [6, 4, 2, 0].map((at) => Number.parseInt(host.slice(at, at + 2), 16)).join(".") : `[${host}]`;
  return `${readable}:${Number.parseInt(port, 16)}`;
}
