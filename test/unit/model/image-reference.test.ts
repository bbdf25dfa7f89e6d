import { expect, test } from "vitest";
import { whyNoImage } from "../../../lib/model/values/image-reference.ts";

const sha256 = `sha256:${"a".repeat(64)}`;

test.each([
  "ubuntu",
  "ubuntu:22.04",
  "pytorch/pytorch:2.9.0-cuda12.8",
  "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/train:7",
  "localhost:5000/a/b:c",
  "[::1]:5000/a",
  "MyHost.com/a:B",
  "Foo/bar",
  "a__b",
  "a--b/c.d",
  `a@${sha256}`,
  `ex.com/a:1@${sha256}`,
  `a@sha512:${"a".repeat(128)}`,
  `a:${"t".repeat(128)}`,
  "x".repeat(247),
  `ex.com/${"x".repeat(255)}`,
])("Docker accepts %s as the name of an image", (image) => {
  expect(whyNoImage(image)).toBeUndefined();
});

test.each<[string, RegExp]>([
  ["", /must look like REPOSITORY:TAG/],
  ["--privileged", /must look like REPOSITORY:TAG/],
  ["-v/:/host", /must look like/],
  ["a b", /must look like/],
  ["ubuntu\n", /must look like/],
  ["a\0", /must look like/],
  ["a:", /must look like/],
  ["a:b:c", /must look like/],
  ["a:.x", /must look like/],
  ["a/", /must look like/],
  ["a//b", /must look like/],
  ["a..b", /must look like/],
  ["a___b", /must look like/],
  [`a:${"t".repeat(129)}`, /must look like/],
  ["a@sha256:abc", /must look like/],
  [`a@sha256:${"A".repeat(64)}`, /its digest must look like sha256:/],
  [`a@sha512:${"a".repeat(64)}`, /its digest must look like/],
  [`a@md5:${"a".repeat(32)}`, /its digest must look like/],
  ["UBUNTU", /a repository's name must be in lower case/],
  ["ghcr.io/Org/x:1", /a repository's name must be in lower case/],
  ["https://ghcr.io/a/b", /leave https:\/\/ out/],
  ["f".repeat(64), /looks like an image's id/],
  ["x".repeat(248), /more than 255 characters/],
  [`ex.com/${"x".repeat(256)}`, /more than 255 characters/],
])("Docker refuses %j as the name of an image, and the message says why", (image, why) => {
  expect(whyNoImage(image)).toMatch(why);
  expect(whyNoImage(image)).toMatch(/^".*" is not the name of a container image: /s);
});
