import * as z from "zod";
import { addStatements } from "../access/policies.ts";
import { checkConditions } from "../access/policy/condition-keys.ts";
import { named, PolicyDocument } from "../access/policy/statement.ts";
import { roleArn, roleId } from "../requests/identities.ts";
import { kind } from "./kind.ts";
import { account, nameOf } from "./world.ts";

/** Roles and policies are recorded, because every call is judged by them. */
export const role = kind({
  type: "AWS::IAM::Role",
  properties: z.strictObject({
    RoleName: z.string().optional(),
    AssumeRolePolicyDocument: PolicyDocument,
    MaxSessionDuration: z.coerce.number().default(3600),
    Policies: z.array(z.strictObject({ PolicyName: z.string(), PolicyDocument })).default([]),
  }),
  harmless: ["Description"],
  create: async ({ RoleName, AssumeRolePolicyDocument, MaxSessionDuration, Policies }, place, { blueprint: { policies } }) => {
    const name = RoleName ?? place.name.slice(0, 64);
    const trust = named(`${place.id} (trust)`, AssumeRolePolicyDocument.Statement);
    checkConditions(trust);
    policies.roles.set(name, { name, trust, maxSeconds: MaxSessionDuration });
    for (const { PolicyName, PolicyDocument } of Policies)
      addStatements(policies.identity, name, named(`${place.id}/${PolicyName}`, PolicyDocument.Statement));
    return { ref: name, attributes: { Arn: roleArn(name, account), RoleId: roleId(name) } };
  },
});

export const policy = kind({
  type: "AWS::IAM::Policy",
  properties: z.strictObject({ PolicyName: z.string(), PolicyDocument, Roles: z.array(z.string()).default([]) }),
  create: async (properties, { id }, { blueprint }) => {
    const statements = named(id, properties.PolicyDocument.Statement);
    for (const role of properties.Roles) addStatements(blueprint.policies.identity, role, statements);
    return { ref: properties.PolicyName, attributes: {} };
  },
});

export const instanceProfile = kind({
  type: "AWS::IAM::InstanceProfile",
  properties: z.strictObject({ InstanceProfileName: z.string().optional(), Roles: z.tuple([z.string()]) }),
  create: async ({ InstanceProfileName, Roles: [only] }, place, { blueprint }) => {
    const name = InstanceProfileName ?? place.name;
    const arn = `arn:aws:iam::${account}:instance-profile/${name}`;
    blueprint.instanceProfiles.push({ name, arn, role: nameOf(only) });
    return { ref: name, attributes: { Arn: arn } };
  },
});
