import { createServer } from "node:net";

/** The default port of a local cloud, if it is free. Other local emulators of AWS use the same one. */
export const usualPort = 4566;

/** Returns whether this port of 127.0.0.1 is free now. Another process may take it a moment later. */
export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => (error.code === "EADDRINUSE" ? resolve(false) : reject(error)));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
