import type { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import type { DatasetRef } from "../model/dataset.ts";
import { uploadObject } from "./object-upload.ts";

export type DatasetFile = { readonly path: string; readonly bytes: number; open(): Readable };

/** Puts files where a team's datasets lie: below `TEAM/NAME/` of the datasets bucket. */
export type DatasetFiles = {
  put(of: DatasetRef, file: DatasetFile): Promise<void>;
};

export const s3DatasetFiles = ({ s3, bucket }: { readonly s3: S3Client; readonly bucket: string }): DatasetFiles => ({
  async put({ team, dataset }, { path, bytes, open }) {
    await uploadObject(s3, { Bucket: bucket, Key: `${team}/${dataset}/${path}` }, { source: open(), stages: [], bytes });
  },
});
