/** Wherever the platform is told to listen, the address that it prints answers, or one sentence says why it cannot. */
import { get } from "node:http";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { type HttpServer, serveHttp } from "../../src/app/server/server.ts";

function ask(url: string, family?: 4 | 6): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false, ...(family === undefined ? {} : { family }) }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    }).once("error", reject);
  });
}

const serve = (host: string, port = 0): Promise<HttpServer> =>
  serveHttp((_request, response) => void response.writeHead(204).end(), port, host);

/** Whether this machine has an IPv6 loopback. */
const six = await new Promise<boolean>((resolve) => {
  const probe = createServer();
  probe.once("error", () => resolve(false));
  probe.listen(0, "::1", () => probe.close(() => resolve(true)));
});

test.each(["127.0.0.1", "localhost", "LOCALHOST", "0.0.0.0", ...(six ? ["::", "::1", "[::1]", "[::]"] : [])])(
  "HOST=%s prints an address that answers, as localhost over both kinds of addresses where there are two",
  async (host) => {
    const server = await serve(host);
    try {
      expect(await ask(server.url)).toBe(204);
      expect(server.url).toBe(six ? `http://localhost:${server.port}` : `http://127.0.0.1:${server.port}`);
      expect(await ask(`http://127.0.0.1:${server.port}`)).toBe(204);
      if (six) expect(await ask(`http://[::1]:${server.port}`)).toBe(204);
    } finally {
      await server.close(1_000);
    }
    await expect(ask(`http://127.0.0.1:${server.port}`)).rejects.toThrow("ECONNREFUSED");
    if (six) await expect(ask(`http://[::1]:${server.port}`)).rejects.toThrow("ECONNREFUSED");
  },
);

test.runIf(six)(
  "a port that another process has on the other loopback is left to it, and the printed address is ours",
  async () => {
    const theirs = createServer((socket) => socket.destroy());
    const port = await new Promise<number>((resolve) => {
      theirs.listen(0, "::1", () => {
        const address = theirs.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
    const server = await serve("127.0.0.1", port);
    try {
      expect(server.url).toBe(`http://127.0.0.1:${port}`);
      expect(await ask(server.url)).toBe(204);
    } finally {
      await server.close(1_000);
      await new Promise((resolve) => theirs.close(resolve));
    }
  },
);

test("an open connection to either loopback is closed when its time is over", async () => {
  const server = await serveHttp(() => {}, 0, "localhost");
  const hanging = [ask(`http://127.0.0.1:${server.port}`), ...(six ? [ask(`http://[::1]:${server.port}`)] : [])];
  const ends = Promise.allSettled(hanging);
  // Both have arrived before the server is told to stop.
  await new Promise((resolve) => setTimeout(resolve, 100));
  await server.close(50);
  for (const end of await ends) expect(end).toMatchObject({ status: "rejected", reason: { code: "ECONNRESET" } });
});

test("a host that cannot be listened on is one sentence that says what to do", async () => {
  await expect(serve("no-such-host.invalid", 8123)).rejects.toThrow(
    /^HOST=no-such-host\.invalid cannot be used: no such host name is known; set HOST to an address of this machine\.$/,
  );
  for (const port of [0, 8123]) {
    await expect(serve("203.0.113.7", port)).rejects.toThrow(/^HOST=203\.0\.113\.7 cannot be used: this machine does not have/);
  }
  const first = await serve("127.0.0.1");
  await expect(serve("127.0.0.1", first.port)).rejects.toThrow(
    `Port ${first.port} on 127.0.0.1 is taken by another process; stop it or set PORT.`,
  );
  await first.close(1_000);
});
