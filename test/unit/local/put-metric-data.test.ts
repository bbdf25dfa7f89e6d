import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { putMetricData } from "../../../lib/local/cloudwatch/put-metric-data.ts";
import type { HttpCall } from "../../../lib/local/requests/http.ts";

const nowMs = Date.UTC(2026, 0, 1);
const call = (body: string | Buffer, headers: Record<string, string> = {}, path = "/"): HttpCall => ({
  method: "POST",
  path,
  headers,
  body: Buffer.from(body),
});
const metric = { namespace: "N", name: "m", dimensions: { d: "1" } };
const target = { "x-amz-target": "GraniteServiceVersion20100801.PutMetricData" };

it("putMetricData reads a call in the form of the query protocol", () => {
  const form = new URLSearchParams({
    Action: "PutMetricData",
    Version: "2010-08-01",
    Namespace: "N",
    "MetricData.member.1.MetricName": "m",
    "MetricData.member.1.Dimensions.member.1.Name": "d",
    "MetricData.member.1.Dimensions.member.1.Value": "1",
    "MetricData.member.1.Timestamp": "2026-01-01T01:59:00+02:00",
    "MetricData.member.1.Unit": "Percent",
    "MetricData.member.1.Values.member.1": "2",
    "MetricData.member.1.Values.member.2": "5.5",
    "MetricData.member.1.Counts.member.1": "3",
    "MetricData.member.1.Counts.member.2": "1",
    "MetricData.member.2.MetricName": "other",
    "MetricData.member.2.Value": "7",
  }).toString();
  const expected = [
    {
      metric,
      atMs: nowMs - 60_000,
      unit: "Percent",
      values: {
        sum: 11.5,
        count: 4,
        minimum: 2,
        maximum: 5.5,
        samples: [
          [2, 3],
          [5.5, 1],
        ],
      },
    },
    {
      metric: { namespace: "N", name: "other", dimensions: {} },
      atMs: nowMs,
      unit: undefined,
      values: { sum: 7, count: 1, minimum: 7, maximum: 7, samples: [[7, 1]] },
    },
  ];
  expect(putMetricData(call(form), nowMs)).toEqual(expected);
  expect(putMetricData(call(gzipSync(form), { "content-encoding": "gzip" }), nowMs)).toEqual(expected);
});

it("putMetricData reads JSON", () => {
  const StatisticValues = { Sum: 30, SampleCount: 3, Minimum: 5, Maximum: 15 };
  const body = JSON.stringify({
    Namespace: "N",
    MetricData: [{ MetricName: "m", Dimensions: [{ Name: "d", Value: "1" }], Timestamp: nowMs / 1000 - 1, StatisticValues }],
  });
  expect(putMetricData(call(body, target), nowMs)).toEqual([
    { metric, atMs: nowMs - 1000, unit: undefined, values: { sum: 30, count: 3, minimum: 5, maximum: 15 } },
  ]);
});

it("putMetricData returns undefined for other actions and throws if it cannot read a call", () => {
  expect(putMetricData(call("Action=GetMetricData"), nowMs)).toBeUndefined();
  expect(putMetricData(call("{}", { "x-amz-target": "GraniteServiceVersion20100801.ListMetrics" }), nowMs)).toBeUndefined();
  const cbor = "/service/GraniteServiceVersion20100801/operation/";
  expect(putMetricData(call("", {}, `${cbor}DescribeAlarms`), nowMs)).toBeUndefined();
  expect(() => putMetricData(call("", {}, `${cbor}PutMetricData`), nowMs)).toThrow(/CBOR/);
  expect(() => putMetricData(call('{"Namespace":"N"}', target), nowMs)).toThrow();
});
