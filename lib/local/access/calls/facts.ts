import type * as z from "zod";
import type { HttpCall } from "../../requests/http.ts";
import type { AccessRequest } from "../policy/verdict.ts";

/** What must be known of the stack's resources to name the things that a call asks for. */
export type ResourceFacts = {
  readonly account: string;
  readonly region: string;
  /** Returns a key by its id, ARN, alias or the alias's ARN. */
  key(name: string): { readonly arn: string; readonly tags: Readonly<Record<string, string>> } | undefined;
  /** Returns a launch template by its id or name. */
  template(idOrName: string): TemplateFact | undefined;
  /** Returns the tags of an instance; none if there is no such instance. */
  instanceTags(id: string): Readonly<Record<string, string>>;
};

export type TemplateFact = {
  readonly id: string;
  readonly name: string;
  /** The ARN of the role in its instance profile. */
  readonly roleArn?: string | undefined;
  readonly securityGroups: readonly string[];
  /** The parameter that holds the image's id, if the template names the image by one. */
  readonly imageParameter?: string | undefined;
  /** The types of resources that it tags. */
  readonly tags: readonly string[];
  /** The ARN of the customer's key for its volumes; undefined for EBS's own. */
  readonly volumeKey?: string | undefined;
};

export type Describe = (call: HttpCall, facts: ResourceFacts) => readonly AccessRequest[];

/** Returns a call's operation, from the header `x-amz-target` of the services that speak JSON. */
export const operationOf = (call: HttpCall): string => call.headers["x-amz-target"]?.split(".").at(-1) ?? "";

/** Returns the JSON body in the form of a schema; undefined if it has another form, which the service refuses itself. */
export function bodyOf<S extends z.ZodType>(call: HttpCall, schema: S): z.output<S> | undefined {
  try {
    return schema.safeParse(JSON.parse(call.body.toString())).data;
  } catch {
    return undefined;
  }
}

/** A call about no resource in particular, or one that is not understood: only a policy that allows it on everything allows it. */
export const onAll = (action: string): readonly AccessRequest[] => [{ action, resource: "*", context: {} }];

/** Returns the value of a tag's condition key, for example `aws:resourcetag/team`. */
export const tagContext = (kind: "request" | "resource" | "principal", tags: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:${kind}tag/${key.toLowerCase()}`, [value]]));
