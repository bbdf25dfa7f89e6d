import * as z from "zod";
import { roleId } from "../requests/identities.ts";
import { Statement } from "../requests/policy.ts";
import { kind } from "./kind.ts";
import { account, nameOf } from "./world.ts";

const PolicyDocument = z.strictObject({
  Version: z.string(),
  Statement: z.union([Statement.transform((one) => [one]), z.array(Statement)]),
});

/** Roles and policies are recorded, because they determine who may call which function. */
export const role = kind({
  type: "AWS::IAM::Role",
  properties: z.strictObject({
    RoleName: z.string().optional(),
    Policies: z.array(z.strictObject({ PolicyName: z.string(), PolicyDocument })).default([]),
  }),
  harmless: ["AssumeRolePolicyDocument", "Description", "MaxSessionDuration"],
  create: async ({ RoleName, Policies }, place, { blueprint }) => {
    const name = RoleName ?? place.name.slice(0, 64);
    blueprint.grants.push({ role: name, statements: Policies.flatMap((policy) => policy.PolicyDocument.Statement) });
    return { ref: name, attributes: { Arn: `arn:aws:iam::${account}:role/${name}`, RoleId: roleId(name) } };
  },
});

export const policy = kind({
  type: "AWS::IAM::Policy",
  properties: z.strictObject({ PolicyName: z.string(), PolicyDocument, Roles: z.array(z.string()).default([]) }),
  create: async (properties, _place, { blueprint }) => {
    for (const each of properties.Roles) blueprint.grants.push({ role: each, statements: properties.PolicyDocument.Statement });
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
