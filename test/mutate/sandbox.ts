import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A copy of the checkout in which files may be changed. Its packages are links, so nothing is installed. */
export class Sandbox {
  readonly folder: string;
  readonly files: readonly string[];

  constructor(root: string) {
    this.folder = mkdtempSync(join(tmpdir(), "fleetwright-mutate-"));
    const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" });
    this.files = listed.split("\0").filter((path) => path !== "");
    for (const path of this.files) {
      mkdirSync(dirname(join(this.folder, path)), { recursive: true });
      cpSync(join(root, path), join(this.folder, path), { force: true });
    }
    // Folders of their own, because vitest and the emulators write caches there.
    this.#link(root, "node_modules", () => true);
    this.#link(root, ".fleetwright", (name) => name.startsWith("venv-"));
  }

  #link(root: string, folder: string, isLinked: (name: string) => boolean): void {
    mkdirSync(join(this.folder, folder));
    for (const name of namesIn(join(root, folder)).filter((each) => isLinked(each) && !each.startsWith(".vite")))
      symlinkSync(join(root, folder, name), join(this.folder, folder, name));
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), "utf8");
  }

  write(path: string, source: string): void {
    writeFileSync(join(this.folder, path), source);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
