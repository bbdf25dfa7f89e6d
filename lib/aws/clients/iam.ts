import { IAMClient } from "@aws-sdk/client-iam";
import { type ClientSettings, common, small } from "./settings.ts";

export const iamClient = (settings: ClientSettings = {}): IAMClient => new IAMClient(common(settings, small));
