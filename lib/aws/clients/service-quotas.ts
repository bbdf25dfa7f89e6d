import { ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import { type ClientSettings, common, small } from "./settings.ts";

export const serviceQuotasClient = (settings: ClientSettings = {}): ServiceQuotasClient => new ServiceQuotasClient(common(settings, small));
