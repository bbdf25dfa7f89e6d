import { expect, it } from "vitest";
import { refusalsInWords } from "../../../lib/aws/ec2/refusal-words.ts";

const zones = new Map(["a", "b"].map((zone) => [`subnet-${zone}`, `us-east-1${zone}`]));
const zoneOf = (subnet: string): string | undefined => zones.get(subnet);
const error = (code: string, type?: string, zone = "a") => ({
  ErrorCode: code,
  ErrorMessage: `We currently do not have sufficient ${type} capacity in the Availability Zone you requested (us-east-1${zone}).`,
  ...(type === undefined ? {} : { LaunchTemplateAndOverrides: { Overrides: { InstanceType: type as never, SubnetId: `subnet-${zone}` } } }),
});
const dry = "InsufficientInstanceCapacity";

it("the same refusal of several types in several zones is one text, without the code that it follows", () => {
  const errors = ["g5.xlarge", "g6.xlarge"].flatMap((type) => ["a", "b"].map((zone) => error(dry, type, zone)));
  const text = refusalsInWords(errors, dry, zoneOf);
  expect(text).toBe(
    "g5.xlarge, g6.xlarge in us-east-1a, us-east-1b: We currently do not have sufficient g5.xlarge capacity in the Availability Zone you requested (us-east-1a).",
  );
  expect(text).not.toContain(dry);
});

it("refusals with other codes follow with their own code", () => {
  const text = refusalsInWords([error("Unsupported", "g6.xlarge", "b"), error(dry, "g5.xlarge")], dry, zoneOf);
  expect(text).toMatch(/^g5\.xlarge in us-east-1a: We .*; Unsupported: g6\.xlarge in us-east-1b: We /);
});

it("an error that names no type is described by its message, and the text has a limit", () => {
  expect(refusalsInWords([{ ErrorCode: dry, ErrorMessage: "No." }], dry, zoneOf)).toBe("No.");
  expect(refusalsInWords([{}], dry, zoneOf)).toBe("unknown: no message");
  const many = Array.from({ length: 500 }, (_, n) => error(dry, `g${n}.xlarge`));
  expect(refusalsInWords(many, dry, zoneOf).length).toBeLessThanOrEqual(1_000);
});
