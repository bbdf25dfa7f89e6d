import { onDynamoDb } from "./dynamodb.ts";
import { onEc2 } from "./ec2.ts";
import { type Describe, onAll, operationOf } from "./facts.ts";
import { onKms } from "./kms.ts";
import { onCloudWatch, onEvents, onLogs, onPricing, onSqs, onSsm } from "./others.ts";
import { onS3 } from "./s3.ts";
import { onSts } from "./sts.ts";

/** How calls to each service are described, by the service's name in signatures. */
const services: Readonly<Record<string, Describe>> = {
  dynamodb: onDynamoDb,
  ec2: onEc2,
  events: onEvents,
  kms: onKms,
  logs: onLogs,
  monitoring: onCloudWatch,
  pricing: onPricing,
  s3: onS3,
  sqs: onSqs,
  ssm: onSsm,
  sts: onSts,
};

/** Returns how calls to a service are described. Calls to a service that is not known here need a policy that allows them on everything. */
export const describeCalls = (service: string): Describe =>
  (Object.hasOwn(services, service) ? services[service] : undefined) ?? ((call) => onAll(`${service}:${operationOf(call)}`));
