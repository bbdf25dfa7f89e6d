import { Stack, Validations } from "aws-cdk-lib";
import type { Construct } from "constructs";

/** Accepts exactly these resources in one role's policy, wildcards included, for the given reason. */
export function acknowledgeResources(of: Construct, reason: string, resources: readonly string[]): void {
  const stack = Stack.of(of);
  const findings = resources.map((resource) => `AwsSolutions-IAM5[Resource::${plain(stack.resolve(resource))}]`);
  Validations.of(of).acknowledge(...findings.map((id) => ({ id, reason })));
}

/** Returns a resource as cdk-nag writes it: values that are only known at deployment are in angle brackets. */
function plain(resolved: unknown): string {
  if (typeof resolved === "string") return resolved.replace(/\$\{([^}]+)\}/g, "<$1>");
  if (Array.isArray(resolved)) return resolved.map(plain).join("");
  if (typeof resolved !== "object" || resolved === null) throw new Error(`not the name of a resource: ${String(resolved)}`);
  const [[intrinsic, value]] = Object.entries(resolved) as [[string, unknown]];
  if (intrinsic === "Ref") return `<${String(value)}>`;
  if (intrinsic === "Fn::GetAtt" && Array.isArray(value)) return `<${value.join(".")}>`;
  if (intrinsic === "Fn::Join" && Array.isArray(value)) return plain(value[1]);
  throw new Error(`not the name of a resource: ${JSON.stringify(resolved)}`);
}
