/**
 * `stop-growth`: nothing new starts, and running work goes on. `drain`: in addition, nodes are drained, and what runs on them is queued
 * again.
 */
export const whenSpents = ["stop-growth", "drain"] as const;
export type WhenSpent = (typeof whenSpents)[number];
