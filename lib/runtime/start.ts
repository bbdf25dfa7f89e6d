import { Metrics } from "@aws-lambda-powertools/metrics";
import { metricsNamespace } from "../model/alarm.ts";
import { type Environment, environment, type FunctionName } from "./env.ts";
import { type FleetFile, readFleetFile } from "./fleet-file.ts";
import { type FunctionLogger, functionLogger } from "./logger.ts";
import { traceSources } from "./stack-traces.ts";

/** What every handler stands on, made once when its Lambda starts. */
export type Started<F extends FunctionName> = {
  readonly env: Environment<F>;
  readonly fleet: FleetFile;
  /** Where the function runs; Lambda sets it. */
  readonly region: string;
  readonly logger: FunctionLogger;
  readonly metrics: Metrics;
};

/** Reads the environment and the `fleet.json` beside the bundle; a Lambda that lacks either does not start, and says what is missing. */
export function start<F extends FunctionName>(name: F): Started<F> {
  traceSources(import.meta.url);
  const fleet = readFleetFile(import.meta.dirname);
  const service = `${fleet.name}-${name}`;
  return {
    env: environment(name, process.env),
    fleet,
    region: process.env["AWS_REGION"] ?? "",
    logger: functionLogger(service),
    metrics: new Metrics({ namespace: metricsNamespace, serviceName: service, defaultDimensions: { fleet: fleet.name } }),
  };
}
