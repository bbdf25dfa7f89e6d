import { KMSClient } from "@aws-sdk/client-kms";
import { type ClientSettings, common, small } from "./settings.ts";

export const kmsClient = (settings: ClientSettings = {}): KMSClient => new KMSClient(common(settings, small));
