import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { type ClientSettings, common, small } from "./settings.ts";

export const cloudwatchClient = (settings: ClientSettings = {}): CloudWatchClient => new CloudWatchClient(common(settings, small));
