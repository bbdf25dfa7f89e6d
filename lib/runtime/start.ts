import { Metrics } from "@aws-lambda-powertools/metrics";
import { metricsNamespace } from "../model/alarm.ts";
import { type Environment, environment, type FunctionName } from "./env.ts";
import { type FleetFile, readFleetFile } from "./fleet-file.ts";
import { type FunctionLogger, functionLogger } from "./logger.ts";
import { traceSources } from "./stack-traces.ts";

/** The parts that every handler needs, created once when its Lambda starts. */
export type Started<F extends FunctionName> = {
  readonly env: Environment<F>;
  readonly fleet: FleetFile;
  /** The function's region, which Lambda sets. */
  readonly region: string;
  readonly logger: FunctionLogger;
  readonly metrics: Metrics;
};

/** Reads the environment and the `fleet.json` next to the bundle. Throws an error that says what is missing if either is incomplete. */
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
