import { createServer } from "node:net";

/** Where a local cloud listens unless told otherwise, if nobody else does; AWS's local stand-ins have settled on it. */
export const usualPort = 4566;

/** Whether nobody listens on this port of 127.0.0.1. Somebody may a moment later. */
export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => (error.code === "EADDRINUSE" ? resolve(false) : reject(error)));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
