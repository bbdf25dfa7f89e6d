import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Fault } from "../../model/fault.ts";
import type { User } from "../program/program.ts";

const run = promisify(execFile);

/** The numbers of a user of this machine; throws a Fault when there is none of that name. */
export async function findUser(name: string): Promise<User> {
  try {
    const [uid, gid] = await Promise.all(
      ["-u", "-g"].map(async (flag) => Number((await run("id", [flag, name], { timeout: 5_000 })).stdout)),
    );
    if (uid === undefined || gid === undefined || !Number.isInteger(uid) || !Number.isInteger(gid)) throw new Error("id printed no number");
    return { uid, gid };
  } catch (error) {
    throw new Fault("job-user", `There is no user "${name}" for jobs to run as`, { cause: error });
  }
}
