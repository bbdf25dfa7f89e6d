import { DeleteRoleCommand } from "@aws-sdk/client-iam";
import { DescribeKeyCommand, DisableKeyCommand, EnableKeyCommand } from "@aws-sdk/client-kms";
import { expect, it } from "vitest";
import { iamClient } from "../../../lib/aws/clients/iam.ts";
import { kmsClient } from "../../../lib/aws/clients/kms.ts";
import { spotRole } from "../../../lib/cli/doctor/checks/spot-role.ts";
import { diagnose } from "../../../lib/cli/doctor/doctor.ts";
import { localSettings } from "../../../lib/cli/session/connection.ts";
import { createSpotRole } from "../../../lib/local/account/spot-role.ts";
import type { Stage } from "../stage.ts";

/** Must run before tests that leave dead letters or make alarms go off. */
export function doctorTests(on: () => Stage): void {
  const examine = async (): Promise<{ readonly checks: readonly string[]; readonly findings: readonly string[] }> => {
    const { cloud } = on();
    const { reports } = await diagnose({
      settings: localSettings(cloud.endpoint),
      name: cloud.deployment.name,
      isLocal: true,
      config: undefined,
      note: () => undefined,
    });
    return {
      checks: reports.map(({ check, severity }) => `${check} ${severity}`),
      findings: reports.flatMap(({ findings }) => findings.map(({ code, says }) => `${code}: ${says}`)),
    };
  };

  it("fleet doctor finds nothing wrong with a new local cloud, and can make every check", async () => {
    const { checks, findings } = await examine();
    expect(findings).toEqual([]);
    expect(checks).toHaveLength(14);
    expect(checks.every((check) => check.endsWith(" ok"))).toBe(true);
  });

  it("fleet doctor finds a team's disabled key, and that the role for spot is missing", async () => {
    const { cloud } = on();
    const settings = localSettings(cloud.endpoint);
    const [kms, iam] = [kmsClient(settings), iamClient(settings)];
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: `${cloud.deployment.keyAliasPrefix}vision` }));
    const of = { KeyId: KeyMetadata?.KeyId };
    await kms.send(new DisableKeyCommand(of));
    await iam.send(new DeleteRoleCommand({ RoleName: spotRole }));
    try {
      const { findings } = await examine();
      expect(findings).toEqual([
        expect.stringMatching(/^spot-role\.missing: /),
        expect.stringMatching(/^keys\.disabled: the key of team vision/),
      ]);
    } finally {
      await kms.send(new EnableKeyCommand(of));
      await createSpotRole(cloud.endpoint, cloud.credentials);
    }
    expect((await examine()).findings).toEqual([]);
  });
}
