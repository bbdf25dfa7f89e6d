import { expect, it } from "vitest";
import { find, items, readXml, textAt, writeXml } from "../../../lib/local/ec2/moto/xml-document.ts";
import { Ec2Error, errorResponse, formOf, regionOf, treeOf, xmlResponse } from "../../../lib/local/requests/query-protocol.ts";

it("treeOf reads lists and structures from a form, in the order of their numbers", () => {
  const form = new URLSearchParams("A.10.B=ten&A.2.B=two&C=x&D.E.F=deep");
  expect(treeOf(form)).toEqual({ A: [{ B: "two" }, { B: "ten" }], C: "x", D: { E: { F: "deep" } } });
});

it("treeOf refuses a name that is both a value and a structure, and is safe against prototype pollution", () => {
  expect(() => treeOf(new URLSearchParams("A=1&A.B=2"))).toThrow(Ec2Error);
  expect(treeOf(new URLSearchParams("__proto__.polluted=1"))).not.toHaveProperty("polluted");
  expect(({} as { polluted?: string }).polluted).toBeUndefined();
});

it("formOf reads parameters from the query and the body", () => {
  const call = { method: "POST", path: "/?Action=X", headers: {}, body: Buffer.from("Y=1&Y=2") };
  expect([...formOf(call)]).toEqual([
    ["Action", "X"],
    ["Y", "1"],
    ["Y", "2"],
  ]);
});

it("regionOf reads the region from the signature", () => {
  const headers = {
    authorization: "AWS4-HMAC-SHA256 Credential=AKIA/20261123/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=0",
  };
  expect(regionOf({ method: "POST", path: "/", headers, body: Buffer.alloc(0) })).toBe("eu-west-1");
  expect(regionOf({ method: "POST", path: "/", headers: {}, body: Buffer.alloc(0) })).toBe("us-east-1");
});

it("a response that is written is parsed to the same content", () => {
  const { body } = xmlResponse("DoIt", { name: `<&>"`, list: ["a", { b: "c" }], empty: [], none: undefined });
  const root = readXml(String(body));
  expect(root.name).toBe("DoItResponse");
  expect(textAt(root, "name")).toBe(`<&>"`);
  expect(items(root, "list").map((item) => item.text || textAt(item, "b"))).toEqual(["a", "c"]);
  expect(items(root, "empty")).toEqual([]);
  expect(find(root, "none")).toBeUndefined();
});

it("an error response has EC2's shape", () => {
  const { status, body } = errorResponse(new Ec2Error("Some.Code", "no <b>", 418));
  expect(status).toBe(418);
  expect(textAt(readXml(String(body)), "Errors", "Error", "Code")).toBe("Some.Code");
  expect(textAt(readXml(String(body)), "Errors", "Error", "Message")).toBe("no <b>");
});

it("writeXml restores what readXml parsed, including entities and empty elements", () => {
  const document = `<?xml version="1.0" encoding="UTF-8"?>\n<a xmlns="u"><b>x&lt;&#233;</b><c></c><d><e>1</e><e>2</e></d></a>`;
  expect(writeXml(readXml(document))).toBe(document);
  expect(textAt(readXml(document), "b")).toBe("x<é");
  expect(writeXml(readXml("<a><b/></a>"))).toContain("<a><b></b></a>");
});

it.each(["", "<a>", "<a></b>", "</a>", "<a></a></a>", "text"])("readXml throws for XML that is not well-formed: %j", (document) => {
  expect(() => readXml(document)).toThrow();
});
