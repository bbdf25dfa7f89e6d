/** An element of an EC2 response, with children or text, never both. Text stays escaped, so that writing restores what was read. */
export type Element = { readonly name: string; readonly attributes: string; readonly children: readonly Element[]; readonly text: string };

type Open = { name: string; attributes: string; children: Element[]; text: string };

/** Matches one piece of markup or text. Groups: closing slash, name, attributes, self-closing slash, text. */
const piece = /<(?:[?!][^>]*|(\/)?([^\s/>]+)([^>]*?)(\/)?)>|([^<]+)/g;

/** Parses a response of moto. Throws if it is not well-formed. */
export function readXml(document: string): Element {
  const open: Open[] = [begun("", "")];
  const top = (): Open => {
    const last = open.at(-1);
    if (last === undefined) throw new Error("The XML closes more elements than it opens");
    return last;
  };
  for (const [, closing, name, attributes = "", selfClosing, text] of document.matchAll(piece)) {
    if (text !== undefined) top().text += text;
    else if (closing !== undefined) close(open.pop(), name, top());
    else if (name !== undefined && selfClosing !== undefined) top().children.push(begun(name, attributes));
    else if (name !== undefined) open.push(begun(name, attributes));
  }
  const [root] = top().children;
  if (open.length !== 1 || root === undefined) throw new Error("The XML ends in the middle of an element");
  return root;
}

const begun = (name: string, attributes: string): Open => ({ name, attributes, children: [], text: "" });

function close(ended: Open | undefined, name: string | undefined, into: Open): void {
  if (ended === undefined || ended.name !== name) throw new Error(`</${name}> closes <${ended?.name}>`);
  into.children.push(ended);
}

export function writeXml(root: Element): string {
  const write = (element: Element): string =>
    `<${element.name}${element.attributes}>${element.children.length > 0 ? element.children.map(write).join("") : element.text}</${element.name}>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${write(root)}`;
}

/** Returns the element at a path of names, taking the first child of each name, or undefined if there is none. */
export function find(element: Element | undefined, ...path: readonly string[]): Element | undefined {
  return path.reduce<Element | undefined>((at, name) => at?.children.find((child) => child.name === name), element);
}

/** Returns the items of the list at that path, or none if there is no such list. */
export const items = (element: Element | undefined, ...path: readonly string[]): readonly Element[] =>
  find(element, ...path)?.children.filter((child) => child.name === "item") ?? [];

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** Returns the unescaped text at that path, or undefined if there is no such element. */
export function textAt(element: Element | undefined, ...path: readonly string[]): string | undefined {
  return find(element, ...path)?.text.replace(/&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));/g, (whole, decimal, hex, name) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return entities[name] ?? whole;
  });
}

/** Returns the element with the child of the same name replaced, or with the child added if there was none. */
export function withChild(element: Element, child: Element): Element {
  const at = element.children.findIndex((one) => one.name === child.name);
  return { ...element, children: at < 0 ? [...element.children, child] : element.children.with(at, child) };
}

export const leaf = (name: string, text: string): Element => ({ name, attributes: "", children: [], text });
export const parent = (name: string, children: readonly Element[]): Element => ({ name, attributes: "", children, text: "" });
