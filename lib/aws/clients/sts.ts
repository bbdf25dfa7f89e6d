import { STSClient } from "@aws-sdk/client-sts";
import { type ClientSettings, common, small } from "./settings.ts";

export const stsClient = (settings: ClientSettings = {}): STSClient => new STSClient(common(settings, small));
