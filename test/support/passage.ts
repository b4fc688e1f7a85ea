/** A way to a server on which what comes from there, or goes there, can be held back, and that can be cut. */
import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";

export async function passage(server: URL) {
  const [sockets, nears]: [Socket[], Socket[]] = [[], []];
  let isCut = false;
  const listener = createServer((near) => {
    if (isCut) return void near.destroy();
    const far = createConnection(Number(server.port), server.hostname);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.setNoDelay().on("error", () => {});
    sockets.push(far);
    nears.push(near);
  });
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const address = listener.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    hold: () => {
      for (const far of sockets) far.pause();
    },
    holdAnswers: () => {
      for (const near of nears) near.pause();
    },
    cut: () => {
      isCut = true;
      for (const socket of [...sockets, ...nears]) socket.destroy();
    },
    mend: () => {
      isCut = false;
    },
    pass: () => {
      for (const far of sockets) far.resume();
    },
    close: async () => {
      for (const far of sockets) far.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
