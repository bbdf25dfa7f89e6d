import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Gives all tests a folder for temporary files and removes it at the end, because a test that fails leaves its own behind. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "fleetwright-tests-"));
  // Workers in tests run jobs as other users, who must reach their folders below it.
  chmodSync(folder, 0o711);
  process.env["TMPDIR"] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
