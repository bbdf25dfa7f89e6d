import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withPacked } from "../pack/archive.ts";

const greet = 'echo "hello from $FLEETWRIGHT_TEAM" > greeting.txt\n';

/** Each member sums its part of a dataset and sends the sums to the first member, which writes all of them to a file. */
const gang = `
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";

const { RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT, FLEETWRIGHT_DATA } = process.env;
const folder = join(FLEETWRIGHT_DATA, process.argv[2]);
const files = readdirSync(folder, { recursive: true }).filter((path) => path.endsWith(".bin"));
const sums = files.map((path) => createHash("sha256").update(readFileSync(join(folder, path))).digest("hex") + "  " + path);
console.log("rank " + RANK + " of " + WORLD_SIZE + " has " + sums.length + " files");

if (RANK === "0") {
  const parts = [sums];
  const done = () => {
    if (parts.length < Number(WORLD_SIZE)) return;
    const all = parts.flat().sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1));
    writeFileSync("sums.txt", all.map((line) => line + "\\n").join(""));
    server.close();
  };
  const server = createServer((socket) => {
    let text = "";
    socket.on("data", (chunk) => (text += chunk));
    socket.on("end", () => {
      parts.push(text === "" ? [] : text.split("\\n"));
      done();
    });
  });
  server.listen(Number(MASTER_PORT), MASTER_ADDR);
} else {
  const call = () => connect(Number(MASTER_PORT), MASTER_ADDR).on("error", () => setTimeout(call, 200)).end(sums.join("\\n"));
  call();
}
`;

/** Packs the code of the samples, passes the archive to `work`, and removes it. */
export async function withSampleCode<T>(work: (archive: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "fleetwright-code-"));
  try {
    const files = { "greet.sh": greet, "gang.mjs": gang };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    return await withPacked(folder, {}, ({ file }) => work(file));
  } finally {
    await rm(folder, { recursive: true });
  }
}
