import { join } from "node:path";
import { API } from "typescript/unstable/sync";

/** Checks types in a folder. It keeps the program in memory, so that a check after a small change takes a tenth of a second. */
export class Compiler {
  readonly #folder: string;
  readonly #config: string;
  readonly #api: API;
  /** The file that was checked last. It may be as before again. */
  #last: string | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    this.#config = join(folder, "tsconfig.json");
    this.#api = new API({ cwd: folder });
    this.#api.updateSnapshot({ openProjects: [this.#config] });
  }

  /** Returns whether the compiler accepts a file after a change of it, and `others`, the files that may depend on its types. */
  accepts(changed: string, others: readonly string[]): boolean {
    const files = [changed, this.#last ?? changed].map((path) => join(this.#folder, path));
    this.#last = changed;
    const snapshot = this.#api.updateSnapshot({ fileChanges: { changed: files } });
    const program = snapshot.getProject(this.#config)?.program;
    if (!program) throw new Error(`the compiler does not find ${this.#config}`);
    return [changed, ...others].every((path) => program.getSemanticDiagnostics(join(this.#folder, path)).length === 0);
  }

  close(): void {
    this.#api.close();
  }
}
