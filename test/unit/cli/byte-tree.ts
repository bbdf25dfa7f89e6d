import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";

/** The contents of a folder by path. Names are bytes, one character per byte. */
export type Tree = Readonly<Record<string, Node>>;
export type Node =
  | { readonly kind: "file"; readonly content: string; readonly mode: number }
  | { readonly kind: "folder"; readonly mode: number }
  | { readonly kind: "link"; readonly target: string };

export const file = (content: string, mode = 0o644): Node => ({ kind: "file", content, mode });
export const folder = (mode = 0o755): Node => ({ kind: "folder", mode });
export const link = (target: string): Node => ({ kind: "link", target });

export const named = (root: string, path: string): Buffer => Buffer.from(`${Buffer.from(root).toString("latin1")}/${path}`, "latin1");

/** Writes the tree into a folder, and creates parent folders. If two entries conflict, the first one wins. */
export function plant(root: string, tree: Tree): void {
  for (const [path, node] of Object.entries(tree)) {
    try {
      mkdirSync(named(root, path.slice(0, Math.max(0, path.lastIndexOf("/")))), { recursive: true });
      put(named(root, path), node);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code !== "EEXIST" && code !== "ENOTDIR" && code !== "EISDIR" && code !== "ENOENT" && code !== "ELOOP") throw error;
    }
  }
}

function put(at: Buffer, node: Node): void {
  if (node.kind === "link") {
    symlinkSync(Buffer.from(node.target, "latin1"), at);
    return;
  }
  if (node.kind === "file") writeFileSync(at, Buffer.from(node.content, "latin1"), { flag: "wx" });
  else mkdirSync(at, { recursive: true });
  chmodSync(at, node.mode);
}

/** Reads the tree of a folder. Does not follow links. */
export function harvest(root: string, below = ""): Tree {
  const found: Record<string, Node> = {};
  for (const entry of readdirSync(named(root, below), { withFileTypes: true, encoding: "latin1" })) {
    const path = below + entry.name;
    const at = named(root, path);
    const mode = lstatSync(at).mode & 0o7777;
    if (entry.isSymbolicLink()) found[path] = link(readlinkSync(at, "latin1"));
    else if (entry.isDirectory()) Object.assign(found, { [path]: folder(mode) }, harvest(root, `${path}/`));
    else found[path] = file(readFileSync(at, "latin1"), mode);
  }
  return found;
}
