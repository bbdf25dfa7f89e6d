import { describe, expect, test } from "vitest";
import { basePath, isAboutJobs } from "../../../lib/api/http/base-path.ts";
import { operationsOnJobs } from "../../../lib/api/operations/about-jobs.ts";
import { allOperations } from "../../../lib/api/operations.ts";

describe("operations on jobs", () => {
  test("the operations on jobs are exactly those whose path is about jobs", () => {
    const about = allOperations.filter(({ path }) => isAboutJobs(`${basePath}${path}`));
    expect(about.length).toBeGreaterThan(5);
    expect(operationsOnJobs.map(({ id }) => id).toSorted()).toEqual(about.map(({ id }) => id).toSorted());
  });

  test.each(["/v1/teams/vision/jobs", "/v1/teams/vision/jobs/", "/v1/teams/vision/jobs/a/cancel"])("%s is about jobs", (path) => {
    expect(isAboutJobs(path)).toBe(true);
  });

  test.each([
    "/v1/teams/vision/jobsx",
    "/v1/teams/vision/datasets",
    "/v1/teams/jobs",
    "/teams/vision/jobs",
    "/v1/me",
    "/v1/teams/a/b/jobs",
  ])("%s is not about jobs", (path) => {
    expect(isAboutJobs(path)).toBe(false);
  });
});
