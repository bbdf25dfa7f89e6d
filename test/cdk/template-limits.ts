import * as z from "zod";
import { type Synthesized, same } from "./synthesized.ts";

/** A limit of AWS, and what reaches it most closely. */
export type Measured = { readonly what: string; readonly most: number; readonly limit: number; readonly where: string };

/** Values that are known only at deployment, as long as they can be. The longest reference to a resource is the ARN of a role. */
const pseudo: Readonly<Record<string, string>> = {
  "AWS::AccountId": "0".repeat(12),
  "AWS::Region": "ap-northeast-1",
  "AWS::Partition": "aws",
  "AWS::URLSuffix": "amazonaws.com",
};
const longestReference = "x".repeat("arn:aws:iam::000000000000:role/".length + 64);

const Ref = z.strictObject({ Ref: z.string() });
const Attribute = z.strictObject({ "Fn::GetAtt": z.array(z.string()) });
const Join = z.strictObject({ "Fn::Join": z.tuple([z.string(), z.array(z.unknown())]) });
const Base64 = z.strictObject({ "Fn::Base64": z.unknown() });

/** Returns a value of a template with the longest values in the place of its references. */
function longest(value: unknown): unknown {
  const ref = Ref.safeParse(value);
  if (ref.success) return pseudo[ref.data.Ref] ?? longestReference;
  if (Attribute.safeParse(value).success) return longestReference;
  const join = Join.safeParse(value);
  if (join.success) return join.data["Fn::Join"][1].map((part) => String(longest(part))).join(join.data["Fn::Join"][0]);
  const base64 = Base64.safeParse(value);
  if (base64.success) return longest(base64.data["Fn::Base64"]);
  if (Array.isArray(value)) return value.map(longest);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, longest(each)]));
}

const bytes = (value: unknown): number => Buffer.byteLength(typeof value === "string" ? value : JSON.stringify(value));

type Found = { readonly where: string; readonly size: number };

/** Returns a row for a limit: the largest of what was found. Throws if nothing was found, because such a limit would test nothing. */
function row(what: string, limit: number, found: readonly Found[]): Measured {
  const [first] = found.toSorted((a, b) => b.size - a.size);
  if (first === undefined) throw new Error(`the template has nothing to which this limit applies: ${what}`);
  return { what, most: first.size, limit, where: first.where };
}

/** Names by type, with the property that sets them and the most characters that AWS accepts. */
const names: readonly (readonly [type: string, property: string, limit: number])[] = [
  ["AWS::CloudWatch::Alarm", "AlarmName", 255],
  ["AWS::IAM::Role", "RoleName", 64],
  ["AWS::KMS::Alias", "AliasName", 256],
  ["AWS::Lambda::Function", "FunctionName", 64],
  ["AWS::Logs::LogGroup", "LogGroupName", 512],
  ["AWS::SQS::Queue", "QueueName", 80],
  ["AWS::SSM::Parameter", "Name", 1011],
];

/** Policies of resources by type, with the most bytes that AWS accepts. */
const policies: readonly (readonly [type: string, property: string, limit: number])[] = [
  ["AWS::IAM::Role", "AssumeRolePolicyDocument", 2_048],
  ["AWS::KMS::Key", "KeyPolicy", 32_768],
  ["AWS::S3::BucketPolicy", "PolicyDocument", 20_480],
  ["AWS::SQS::QueuePolicy", "PolicyDocument", 8_192],
];

/** Measures a stack's template against the limits of AWS that a deployment would meet. */
export function measure(stack: Synthesized): readonly Measured[] {
  const template = stack.template.toJSON();
  const sizes = (type: string, property: string): Found[] =>
    stack
      .all(type)
      .flatMap(({ id, properties }) => (property in properties ? [{ where: id, size: bytes(longest(properties[property])) }] : []));
  const inline = stack.all("AWS::IAM::Role").map(({ id }) => ({
    where: id,
    size: stack
      .all("AWS::IAM::Policy")
      .filter(({ properties }) =>
        z
          .array(z.unknown())
          .parse(properties["Roles"])
          .some((role) => same(role, { Ref: id })),
      )
      .reduce((sum, { properties }) => sum + bytes(longest(properties["PolicyDocument"])), 0),
  }));
  const Environment = z.object({ Variables: z.unknown() });
  const environments = stack.all("AWS::Lambda::Function").map(({ id, properties }) => ({
    where: id,
    size: bytes(longest(Environment.parse(properties["Environment"] ?? { Variables: {} }).Variables)),
  }));
  const Data = z.object({ UserData: z.unknown() });
  const userData = stack.all("AWS::EC2::LaunchTemplate").map(({ id, properties }) => ({
    where: id,
    size: bytes(longest(Data.parse(properties["LaunchTemplateData"]).UserData)),
  }));
  return [
    row("resources", 500, [{ where: "the stack", size: Object.keys(template["Resources"]).length }]),
    row("bytes of the template", 1_000_000, [{ where: "the stack", size: bytes(template) }]),
    row("outputs", 200, [{ where: "the stack", size: Object.keys(template["Outputs"]).length }]),
    row("bytes of a function's environment", 4_096, environments),
    row("bytes of a role's inline policies", 10_240, inline),
    ...policies.map(([type, property, limit]) => row(`bytes of ${type} ${property}`, limit, sizes(type, property))),
    row("bytes of a parameter's value", 4_096, sizes("AWS::SSM::Parameter", "Value")),
    row("bytes of user data", 16_384, userData),
    ...names.map(([type, property, limit]) =>
      row(
        `characters of ${type} ${property}`,
        limit,
        stack
          .all(type)
          .flatMap(({ id, properties }) =>
            property in properties ? [{ where: id, size: String(longest(properties[property])).length }] : [],
          ),
      ),
    ),
  ];
}
