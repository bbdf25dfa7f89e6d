import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeWritable, notWritable, userFolder } from "../../../lib/cli/invocation/folders.ts";
import { rememberTarget } from "../../../lib/cli/session/remembered.ts";

const home = (): string => "/home/ada";

describe("the user's folder", () => {
  it.each([
    ["the XDG default", {}, "/home/ada/.local/state/fleetwright"],
    ["XDG_STATE_HOME", { XDG_STATE_HOME: "/state" }, "/state/fleetwright"],
    ["FLEETWRIGHT_HOME, even if XDG_STATE_HOME is set", { XDG_STATE_HOME: "/state", FLEETWRIGHT_HOME: "/own" }, "/own"],
  ])("the user's folder is %s", (_what, environment, folder) => {
    expect(userFolder(environment, home)).toBe(folder);
  });

  it("a user without a home folder must name the user's folder", () => {
    const none = (): string => {
      throw new Error("uv_os_homedir returned ENOENT");
    };
    expect(() => userFolder({}, none)).toThrow("this user has no home folder; set HOME, or FLEETWRIGHT_HOME");
  });
});

describe("a folder that is not writable", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "fleetwright-"));
    await writeFile(join(folder, "file"), "");
  });
  afterEach(() => rm(folder, { recursive: true }));

  it.each([
    ["EACCES", "you have no permission to write there"],
    ["EROFS", "the file system is read-only"],
    ["ENOSPC", "the disk is full"],
  ])("the error about a folder that is not writable explains %s", (code, words) => {
    const { message } = notWritable("/home/ada/.local/state/fleetwright", Object.assign(new Error(`${code}: mkdir`), { code }));
    expect(message).toBe(
      `cannot write to /home/ada/.local/state/fleetwright: ${words}; set FLEETWRIGHT_HOME to a folder that you may write to`,
    );
  });

  it("a folder that is not writable is found before anything is started, and when a target is stored", async () => {
    const below = join(folder, "file", "state");
    const words = /cannot write to .*: a part of the path is a file, not a folder; set FLEETWRIGHT_HOME/;
    await expect(makeWritable(below)).rejects.toThrow(words);
    await expect(rememberTarget(below, "aws")).rejects.toThrow(words);
  });
});
