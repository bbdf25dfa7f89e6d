import { Duration } from "aws-cdk-lib";
import { GraphWidget, type IMetric, LogQueryVisualizationType, LogQueryWidget, Metric, SearchExpression } from "aws-cdk-lib/aws-cloudwatch";
import { metricsNamespace } from "../../lib/model/alarm.ts";

/** Three of them fill a row, which is 24 wide. */
const size = { width: 8, height: 6 } as const;
/** The most lines of a graph, which are those with the largest values. More could not be distinguished. */
const maxLines = 25;
const minute = Duration.minutes(1);
const fiveMinutes = Duration.minutes(5);

export const graph = (title: string, left: IMetric[], right: IMetric[] = []): GraphWidget =>
  new GraphWidget({ ...size, title, left, right });

/** Returns a metric of the whole deployment, or of one of its functions. */
export const fleetMetric = (fleet: string, metricName: string, of: { readonly statistic: string; readonly service?: string }): Metric =>
  new Metric({
    namespace: metricsNamespace,
    metricName,
    dimensionsMap: of.service === undefined ? { fleet } : { fleet, service: of.service },
    statistic: of.statistic,
    period: fiveMinutes,
    label: metricName,
  });

/**
 * Returns one line per pool, for the pools with the largest values. CloudWatch looks the pools up when somebody looks at the graph, so the
 * dashboard has the same size for one pool and for a hundred.
 */
export const byPool = (fleet: string, metricName: string, statistic: string): SearchExpression =>
  largest(poolSearch(fleet, metricName, statistic), `${dimension("pool")} ${metricName}`);

/** Returns the sum of a metric over all pools. */
export const overPools = (fleet: string, metricName: string, statistic: string): SearchExpression =>
  search(`SUM(${poolSearch(fleet, metricName, statistic)})`, `${metricName} of all pools`);

/**
 * Returns one line per team's jobs queue, for those with the largest values. A name without quotation marks matches every queue whose name
 * contains its words one after the other. `NAME-dead-jobs-TEAM` does not.
 */
export const byJobsQueue = (prefix: string, metricName: string, statistic: string): SearchExpression =>
  largest(
    `SEARCH('{AWS/SQS,QueueName} MetricName="${metricName}" QueueName=${prefix.replace(/-$/, "")}', '${statistic}')`,
    dimension("QueueName"),
  );

/** Returns a query of the logs of functions. It reads the logs of the time that is shown each time the dashboard is opened. */
export const query = (
  title: string,
  {
    fleet,
    functions,
    lines,
    view,
  }: { fleet: string; functions: readonly string[]; lines: string[]; view: "LINE" | "TABLE" | "STACKEDAREA" },
): LogQueryWidget =>
  new LogQueryWidget({
    ...size,
    title,
    logGroupNames: functions.map((name) => `/aws/lambda/${fleet}-${name}`),
    queryLines: lines,
    view: LogQueryVisualizationType[view],
  });

/** Returns a label that CloudWatch replaces by a dimension of each metric that it finds. */
const dimension = (name: string): string => `\${PROP('Dim.${name}')}`;

const poolSearch = (fleet: string, metricName: string, statistic: string): string =>
  `SEARCH('{${metricsNamespace},fleet,pool} MetricName="${metricName}" fleet="${fleet}"', '${statistic}')`;

const largest = (searched: string, label: string): SearchExpression => search(`SLICE(SORT(${searched}, MAX, DESC), 0, ${maxLines})`, label);

const search = (expression: string, label: string): SearchExpression => new SearchExpression({ expression, label, period: minute });
