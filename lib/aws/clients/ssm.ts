import { SSMClient } from "@aws-sdk/client-ssm";
import { type ClientSettings, common, small } from "./settings.ts";

export const ssmClient = (settings: ClientSettings = {}): SSMClient => new SSMClient(common(settings, small));
