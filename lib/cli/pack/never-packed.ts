import type { Dirent } from "node:fs";

/** Left out of every archive: what a job cannot use, or must make for its own machine. */
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

/** Whether a folder is a virtual environment of Python's, or one of Conda's, however it is called: its programs lie elsewhere. */
export const isEnvironment = (entries: readonly Dirent[]): boolean =>
  entries.some((entry) => (entry.name === "pyvenv.cfg" && entry.isFile()) || (entry.name === "conda-meta" && entry.isDirectory()));
