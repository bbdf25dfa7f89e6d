import { LambdaClient } from "@aws-sdk/client-lambda";
import { type ClientSettings, common, small } from "./settings.ts";

export const lambdaClient = (settings: ClientSettings = {}): LambdaClient => new LambdaClient(common(settings, small));
