import type { Dirent } from "node:fs";

/** Names that every archive excludes: a job cannot use them, or must create them for its own machine. */
const names: ReadonlySet<string> = new Set([
  ".fleetwright",
  ".git",
  ".ipynb_checkpoints",
  ".mypy_cache",
  ".nox",
  ".pytest_cache",
  ".ruff_cache",
  ".tox",
  ".venv",
  "__pycache__",
  "node_modules",
]);

export const isNeverPacked = (name: string): boolean => names.has(name);

/** Returns whether a folder is a virtual environment of Python or Conda, whatever its name. Its programs are elsewhere. */
export const isEnvironment = (entries: readonly Dirent[]): boolean =>
  entries.some((entry) => (entry.name === "pyvenv.cfg" && entry.isFile()) || (entry.name === "conda-meta" && entry.isDirectory()));
