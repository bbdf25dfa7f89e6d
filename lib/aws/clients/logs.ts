import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { type ClientSettings, common, small } from "./settings.ts";

export const logsClient = (settings: ClientSettings = {}): CloudWatchLogsClient => new CloudWatchLogsClient(common(settings, small));
