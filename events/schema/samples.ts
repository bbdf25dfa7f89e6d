import type * as z from "zod";
import { AlarmStateChange } from "../alarm.ts";
import { Manifest, ObjectCreated, SealAgain, SealedManifestFile } from "../artifacts/upload.ts";
import { DatasetObject, RebalanceShards, ShardList } from "../dataset.ts";
import { InstanceEvent } from "../instance.ts";
import { JobMessage } from "../job.ts";
import { PoolRang } from "../lane.ts";
import { NodeCall } from "../node-call.ts";
import { StackChange } from "../stack-change.ts";
import { Tick } from "../tick.ts";

/** The schema of each file in samples/. `npm run check` parses them all. */
export const samples: Readonly<Record<string, z.ZodType>> = {
  "dataset-object-deleted": DatasetObject,
  "alarm-state-change": AlarmStateChange,
  "instance-state-change": InstanceEvent,
  "job-full": JobMessage,
  "job-smallest": JobMessage,
  manifest: Manifest,
  "manifest-sealed": SealedManifestFile,
  "node-begin": NodeCall,
  "node-boot": NodeCall,
  "node-report": NodeCall,
  "node-report-interrupted": NodeCall,
  "object-created": ObjectCreated,
  "pool-rang": PoolRang,
  "rebalance-shards": RebalanceShards,
  "rebalance-recommendation": InstanceEvent,
  "seal-again": SealAgain,
  "spot-interruption-warning": InstanceEvent,
  "shard-list": ShardList,
  "stack-delete": StackChange,
  tick: Tick,
};
