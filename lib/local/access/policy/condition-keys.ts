import { FleetError } from "../../../model/fleet-error.ts";
import { parseOperator } from "./conditions.ts";
import { variablesOf } from "./patterns.ts";
import type { NamedStatement } from "./statement.ts";

/** The condition keys that calls have here, in lower case. A key that ends with `/` or `:` stands for all below it. */
const known: readonly string[] = [
  "aws:principalarn",
  "aws:principaltag/",
  "aws:requesttag/",
  "aws:resourceaccount",
  "aws:resourcetag/",
  "aws:securetransport",
  "aws:sourceaccount",
  "aws:sourcearn",
  "aws:tagkeys",
  "aws:userid",
  "ec2:createaction",
  "ec2:islaunchtemplateresource",
  "ec2:launchtemplate",
  "iam:awsservicename",
  "iam:passedtoservice",
  "kms:encryptioncontext:",
  "kms:grantisforawsresource",
  "kms:viaservice",
  "lambda:functionurlauthtype",
  "lambda:invokedviafunctionurl",
  "s3:prefix",
  "s3:tlsversion",
  "s3:x-amz-acl",
  "s3:x-amz-server-side-encryption",
  "s3:x-amz-server-side-encryption-aws-kms-key-id",
];

const isKnown = (key: string): boolean => known.some((each) => (/[/:]$/.test(each) ? key.startsWith(each) : key === each));

/**
 * Checks that every condition can be judged here. Throws the FleetError `template` that names the first one that cannot, because a
 * condition that is ignored would make this cloud kinder, or stricter, than AWS.
 */
export function checkConditions(statements: readonly NamedStatement[]): void {
  for (const { name, Condition, Resource = [], NotResource = [] } of statements) {
    const unknownOperator = Object.keys(Condition).find((operator) => parseOperator(operator) === undefined);
    if (unknownOperator !== undefined) throw notSupported(`the condition operator ${unknownOperator}`, name);
    const keys = Object.values(Condition).flatMap((tests) => Object.keys(tests).map((key) => key.toLowerCase()));
    const texts = [...Resource, ...NotResource, ...Object.values(Condition).flatMap((tests) => Object.values(tests).flat())];
    const unknownKey = [...keys, ...texts.flatMap(variablesOf)].find((key) => !isKnown(key));
    if (unknownKey !== undefined) throw notSupported(`the condition key ${unknownKey}`, name);
  }
}

const notSupported = (what: string, where: string): FleetError =>
  new FleetError("template", `The local cloud does not support ${what} of ${where}. Implement it in lib/local/access.`);
