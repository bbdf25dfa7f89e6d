import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { portFor, startLines, stillAws } from "../../../lib/cli/commands/local.ts";

const deployment = { teams: ["research", "vision"], pools: ["gpu", "cpu"], jobsQueuePrefix: "jobs-" };
const cloud = { endpoint: "http://127.0.0.1:4566", region: "us-east-1", deployment };

describe("fleet local", () => {
  test("a cloud that has started is described for programs as one object", () => {
    expect(startLines(cloud, true).map((line): unknown => JSON.parse(line))).toEqual([
      { endpoint: cloud.endpoint, region: "us-east-1", teams: deployment.teams, pools: deployment.pools },
    ]);
  });

  test("a cloud that has started shows people how to submit a job, with and without the fleet command", () => {
    expect(startLines(cloud, false)).toEqual([
      "local cloud at http://127.0.0.1:4566",
      "",
      "Submit a job:",
      `  echo '{"command":["echo","hello"]}' | fleet submit - --team research`,
      "  AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1 aws --endpoint-url http://127.0.0.1:4566 sqs send-message" +
        ` --queue-url http://127.0.0.1:4566/000000000000/jobs-research --message-body '{"command":["echo","hello"]}'`,
      "",
      "teams: research, vision   pools: gpu, cpu   end with Ctrl-C",
      "When it ends, its jobs, logs, artifacts and datasets are deleted.",
    ]);
    expect(startLines({ ...cloud, deployment: { ...deployment, teams: [] } }, false)[3]).toContain("--team TEAM");
  });

  test("commands that still go to AWS are explained by the shell or by an earlier command", () => {
    expect(stillAws(true)).toBe("commands still go to AWS in a shell in which FLEETWRIGHT_TARGET=aws is set");
    expect(stillAws(false)).toBe('commands still go to AWS, because of "fleet use aws"; to use this cloud: fleet use local');
  });

  test("a port that was asked for must be free", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const notes: string[] = [];
    const console = { note: (line: string) => void notes.push(line) };
    await expect(portFor(port, console)).rejects.toMatchObject({
      code: "port-taken",
      message: `port ${port} of 127.0.0.1 is taken; choose another one, or omit --port to get a free one`,
    });
    await new Promise((resolve) => server.close(resolve));
    expect([await portFor(port, console), notes]).toEqual([port, []]);
  });
});
