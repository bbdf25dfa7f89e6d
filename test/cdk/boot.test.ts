import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";

/** Returns the boot script with its folders below `folder`, and with twelve seconds, which pass only by sleeping, for its ten minutes. */
const script = (folder: string): string =>
  [
    "export FLEETWRIGHT_NODE_URL='https://node.example/'",
    "export FLEETWRIGHT_POOL='gpu'",
    "export AWS_REGION='eu-west-1'",
    "clock=0",
    readFileSync("cdk/boot.sh", "utf8")
      .replaceAll(/\/(opt|var|etc)\//g, `${folder}/$1/`)
      .replace("SECONDS + 600", "12")
      .replaceAll(/sleep (\d)/g, "clock=$((clock + $1))")
      .replaceAll("SECONDS", "clock"),
  ].join("\n");

/** A fake curl for the metadata, the downloads and the node function, which returns one of `responses` per call and the last one for ever. */
const curl = (folder: string, responses: readonly string[]): string => `#!/bin/bash
out=$(sed -n 's/.* -o \\([^ ]*\\) .*/\\1/p' <<<"$*")
case "$*" in
  *api/token*) echo TOKEN ;;
  */security-credentials/) echo its-role ;;
  */security-credentials/its-role) echo '{"AccessKeyId":"AKID","SecretAccessKey":"SECRET","Token":"SESSION"}' ;;
  *--aws-sigv4*)
    echo "$*" >>${folder}/calls
    cat >>${folder}/secrets
    n=$(wc -l <${folder}/calls)
    responses=(${responses.map((response) => `'${response}'`).join(" ")})
    i=$((n <= \${#responses[@]} ? n - 1 : \${#responses[@]} - 1))
    [ "\${responses[$i]}" ] && echo "\${responses[$i]}" || exit 22
    ;;
  *https://worker.example*) echo worker >"$out" ;;
  *https://binary.example*) printf '#!/bin/bash\\necho v24\\n' >"$out" ;;
esac
`;

type Boot = { readonly code: number; readonly stderr: string; read(file: string): string };

/**
 * Runs the boot script. `responses`: what the node function returns, call by call. `systemctl`: the shell code that stands in for systemctl,
 * which by default succeeds.
 */
async function boot(responses: readonly string[], systemctl = "exit 0"): Promise<Boot> {
  const folder = mkdtempSync(join(tmpdir(), "fleetwright-boot-"));
  for (const path of ["bin", "etc/systemd/system"]) mkdirSync(join(folder, path), { recursive: true });
  const program = (name: string, text: string): void => {
    writeFileSync(join(folder, "bin", name), text);
    chmodSync(join(folder, "bin", name), 0o755);
  };
  program("curl", curl(folder, responses));
  program("useradd", `#!/bin/bash\necho "useradd $*" >>${folder}/done\n`);
  program("systemctl", `#!/bin/bash\necho "systemctl $*" >>${folder}/done\n${systemctl}\n`);
  writeFileSync(join(folder, "boot.sh"), script(folder));
  const read = (file: string): string => (existsSync(join(folder, file)) ? readFileSync(join(folder, file), "utf8") : "");
  const env = { PATH: `${join(folder, "bin")}:${process.env["PATH"]}` };
  return new Promise((resolve) => {
    execFile("bash", [join(folder, "boot.sh")], { env, timeout: 30_000 }, (error, _out, stderr) =>
      resolve({ code: error ? Number(error.code ?? -1) : 0, stderr, read }),
    );
  });
}

const yes = '{"kind":"boot","workerUrl":"https://worker.example/w","nodeUrl":"https://binary.example/n"}';
const wait = '{"kind":"wait","callAgainMs":1000}';

describe("the boot script", () => {
  let booted: Boot;
  beforeAll(async () => {
    booted = await boot([wait, yes]);
  });

  test("the boot script downloads the worker and Node and starts them under systemd", () => {
    const { code, read } = booted;
    expect(code).toBe(0);
    expect(read("opt/fleetwright/worker.mjs")).toBe("worker\n");
    expect(read("done")).toContain("systemctl --no-block restart fleetwright");
    expect(read("done")).not.toContain("poweroff");
    const unit = read("etc/systemd/system/fleetwright.service");
    for (const setting of [
      'Environment="FLEETWRIGHT_NODE_URL=https://node.example/"',
      'Environment="FLEETWRIGHT_POOL=gpu"',
      'Environment="AWS_REGION=eu-west-1"',
      'Environment="FLEETWRIGHT_JOB_USER=fleetjob"',
      'Environment="FLEETWRIGHT_SHUTDOWN=systemctl --no-block poweroff"',
      "Restart=always",
    ])
      expect(unit.split("\n")).toContain(setting);
  });

  test("the boot script does not wait for a worker that starts only after units that wait for this script", async () => {
    const waiting = 'case "$*" in is-active*) exit 3 ;; "show --property=Job --value fleetwright") echo 812 ;; esac';
    const { code, read } = await boot([yes], waiting);
    expect(code).toBe(0);
    expect(read("done")).not.toContain("poweroff");
  });

  test.each(["0", ""])("the boot script tries again if the worker neither runs nor waits: its job is '%s'", async (job) => {
    const failed = `case "$*" in is-active*) exit 3 ;; show*) echo ${job} ;; esac`;
    const { code, stderr, read } = await boot([yes], failed);
    expect(code).toBe(1);
    expect(stderr).toContain("the worker did not start");
    expect(read("done")).toMatch(/systemctl --no-block poweroff\n$/);
  });

  test("the boot script signs its calls of the node function, and shows no credentials on a command line", () => {
    const { read } = booted;
    expect(read("calls")).toContain("--aws-sigv4 aws:amz:eu-west-1:lambda");
    expect(read("calls")).toContain('{"protocol":1,"kind":"boot","pool":"gpu"}');
    expect(read("calls")).not.toMatch(/SECRET|SESSION/);
    expect(read("secrets")).toContain('user = "AKID:SECRET"\nheader = "x-amz-security-token: SESSION"');
  });

  test("the boot script blocks the job's user from the instance's metadata before the worker runs", () => {
    const { read } = booted;
    expect(read("etc/systemd/system/fleetwright.service")).toMatch(/^ExecStartPre=.*\/opt\/fleetwright\/guard$/m);
    expect(read("opt/fleetwright/guard")).toContain("-d 169.254.169.254");
  });

  test("the boot script shuts the instance down if the node function does not respond", async () => {
    const { code, stderr, read } = await boot([""]);
    expect(code).toBe(1);
    expect(stderr).toContain("gave up");
    expect(read("done")).toContain("systemctl --no-block poweroff");
    expect(read("calls").split("\n").length).toBeGreaterThan(2);
  });

  test("the boot script shuts the instance down at once if the node function says so", async () => {
    const { read } = await boot(['{"kind":"shutdown","because":"the pool is gone"}']);
    expect(read("done")).toMatch(/systemctl --no-block poweroff\n$/);
    expect(read("calls").trim().split("\n")).toHaveLength(1);
  });
});
