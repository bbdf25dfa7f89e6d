import * as z from "zod";

const many = <T extends z.ZodType>(one: T) => z.union([one.transform((value) => [value]), z.array(one)]);
const texts = many(z.union([z.string(), z.boolean().transform(String), z.number().transform(String)]));

/** Who a resource's policy is about: `*` for everybody, ARNs of roles or of an account, or services. */
const Principal = z.union([
  z.literal("*").transform(() => ({ AWS: ["*"], Service: [] as string[] })),
  z.strictObject({ AWS: many(z.string()).default([]), Service: many(z.string()).default([]) }),
]);

/** A statement of a policy. Strict, because a part that is ignored would allow or deny something else than on AWS. */
export const Statement = z
  .strictObject({
    Sid: z.string().optional(),
    Effect: z.enum(["Allow", "Deny"]),
    Action: many(z.string()),
    Resource: many(z.string()).optional(),
    NotResource: many(z.string()).optional(),
    Principal: Principal.optional(),
    Condition: z.record(z.string(), z.record(z.string(), texts)).default({}),
  })
  .refine(({ Resource, NotResource }) => Resource === undefined || NotResource === undefined, "has both Resource and NotResource");
export type Statement = z.infer<typeof Statement>;

export const PolicyDocument = z.strictObject({ Version: z.literal("2012-10-17"), Statement: many(Statement) });

/** A statement with its place in the template, for people: `PlaceRoleDefaultPolicy/Journal`, or a number if it has no Sid. */
export type NamedStatement = Statement & { readonly name: string };

export const named = (policy: string, statements: readonly Statement[]): readonly NamedStatement[] =>
  statements.map((statement, index) => ({ ...statement, name: `${policy}/${statement.Sid || index + 1}` }));
