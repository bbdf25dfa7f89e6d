import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { artifactName, nameOfArtifact } from "../../../events/artifacts/artifact-name.ts";
import { ArtifactPath } from "../../../events/artifacts/upload.ts";

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

describe("paths of artifacts", () => {
  test.each([
    ["out/model.pt", "out/model.pt", undefined],
    ["out/100%.txt", "out/100%.txt", undefined],
    ["a%5cb", "a%5cb", undefined],
    ["logs\\events.txt", "logs%5Cevents.txt", true],
    ["100%\\x", "100%25%5Cx", true],
    ["a%5Cb", "a%255Cb", true],
    ["caf\xe9.txt", "caf%E9.txt", true],
    ["a\nb", "a%0Ab", true],
    ["caf\xc3\xa9/\xff", "café/%FF", true],
    ["\xe2\x80\xa8", "%E2%80%A8", true],
    ["\xed\xa0\x80", "%ED%A0%80", true],
  ])("the artifact with the name bytes %j has the path %s", (name, path, escaped) => {
    expect(artifactName(bytes(name))).toEqual(escaped ? { path, escaped } : { path });
    expect(Buffer.from(nameOfArtifact(artifactName(bytes(name)))).toString("latin1")).toBe(name);
  });

  const byte = fc.oneof(
    fc.constantFrom(0x25, 0x35, 0x43, 0x5c, 0x61, 0xc3, 0xa9, 0x0a, 0xff, 0xef, 0xbb, 0xbf),
    fc.integer({ min: 1, max: 255 }),
  );
  const part = fc
    .array(
      byte.filter((each) => each !== 0x2f),
      { minLength: 1, maxLength: 12 },
    )
    .filter((name) => !/^\.{1,2}$/.test(Buffer.from(name).toString()));

  test("an artifact's path gives back the bytes of its name, and is allowed in a manifest", () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), (parts) => {
        const name = Buffer.concat(
          parts.flatMap((each, index) => (index === 0 ? [Buffer.from(each)] : [Buffer.from("/"), Buffer.from(each)])),
        );
        const artifact = artifactName(name);
        expect(Buffer.from(nameOfArtifact(artifact)).equals(name)).toBe(true);
        expect(ArtifactPath.safeParse(artifact.path).success).toBe(true);
        expect(artifact.path).not.toMatch(/[\p{Cc}\\]/u);
      }),
      { numRuns: 300 },
    );
  });

  test("two file names never get the same artifact path", () => {
    const name = fc.oneof(
      part.map((each) => Buffer.from(each)),
      part.map((each) => Buffer.from(artifactName(Buffer.from(each)).path)),
    );
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(artifactName(a).path === artifactName(b).path).toBe(a.equals(b));
      }),
      { numRuns: 300 },
    );
  });
});
