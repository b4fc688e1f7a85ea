/** What one client may hold of a server: connections, answers that it does not take, requests that it does not end. */
import type { RequestListener } from "node:http";
import type { Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { afterEach, expect, test } from "vitest";
import { CONNECTION_BOUNDS, type ConnectionBounds, PIPELINED_MAX } from "../../src/app/server/connections.ts";
import { type HttpServer, serveHttp } from "../../src/app/server/server.ts";
import { dial, statusOf } from "../support/raw.mjs";

const open: HttpServer[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of open.splice(0)) await server.close(100);
});

async function serve(listener: RequestListener, bounds: Partial<ConnectionBounds>): Promise<number> {
  const server = await serveHttp(listener, 0, "127.0.0.1", { ...CONNECTION_BOUNDS, ...bounds });
  open.push(server);
  return server.port;
}

async function connection(port: number, from?: string): Promise<Socket> {
  const socket = await dial(port, from);
  sockets.push(socket);
  return socket;
}

/** Whether this machine has an IPv6 loopback. */
const six = Object.values(networkInterfaces()).some((own) => own?.some(({ address }) => address === "::1") === true);
const closed = (socket: Socket) =>
  new Promise<void>((resolve) => (socket.destroyed ? resolve() : socket.once("close", () => resolve())));
const GET = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
const fine: RequestListener = (_request, response) => void response.end("fine");

/** Reads until the connection is closed, or until `whole` says that all is there. */
function heard(socket: Socket, whole: (text: string) => boolean = () => false): Promise<string> {
  let text = "";
  return new Promise((resolve) => {
    socket.on("data", (chunk) => {
      text += chunk.toString();
      if (whole(text)) resolve(text);
    });
    void closed(socket).then(() => resolve(text));
    socket.resume();
  });
}

const answered = async (socket: Socket) => {
  const answer = heard(socket, (text) => text.endsWith("fine"));
  socket.write(GET);
  return statusOf(await answer);
};

test("one connection more than an address may have is answered with 429 and closed, until another one is", async () => {
  const port = await serve(fine, { ofAddress: 3 });
  const three = [await connection(port), await connection(port), await connection(port)];
  const refused = await heard(await connection(port));
  expect(statusOf(refused)).toBe(429);
  expect(JSON.parse(refused.split("\r\n\r\n")[1] ?? "")).toMatchObject({ status: 429, code: "TOO_MANY_CONNECTIONS" });
  expect(await answered(await connection(port, "127.0.0.2"))).toBe(200);
  for (const socket of three) expect(await answered(socket)).toBe(200);
  three[0]?.destroy();
  let status = 429;
  while (status === 429) status = await answered(await connection(port));
  expect(status).toBe(200);
});

test("no bound for each address is none", async () => {
  const port = await serve(fine, { ofAddress: 0 });
  for (let n = 0; n < 10; n += 1) expect(await answered(await connection(port))).toBe(200);
});

test("past the bound in all a connection is closed, and those that only keep a place make room for the next", async () => {
  let hold: (() => void) | undefined;
  const port = await serve(
    (request, response) => {
      if (request.url === "/hold") hold = () => response.end("fine");
      else fine(request, response);
    },
    { inAll: 3 },
  );
  const busy = await connection(port);
  const answer = heard(busy, (text) => text.endsWith("fine"));
  busy.write(GET.replace("/", "/hold"));
  const idle = [await connection(port), await connection(port)];
  for (const socket of idle) expect(await answered(socket)).toBe(200);
  const gone = Promise.all(idle.map(closed));
  await closed(await connection(port));
  await gone;
  expect(await answered(await connection(port))).toBe(200);
  hold?.();
  expect(statusOf(await answer)).toBe(200);
});

test.runIf(six)("those of the other loopback count like any other", async () => {
  const port = await serve(fine, { inAll: 2 });
  const two = [await connection(port), await connection(port, "::1")];
  for (const from of ["::1", "127.0.0.1"]) await closed(await connection(port, from));
  for (const socket of two) expect(await answered(socket)).toBe(200);
});

test("an answer that nobody takes ends its connection, and frees what waits for it", async () => {
  const waiting: { writableLength: number }[] = [];
  const port = await serve(
    (_request, response) => {
      waiting.push(response.req.socket);
      response.end(Buffer.alloc(16 * 1_048_576));
    },
    { stillMs: 100 },
  );
  const socket = await connection(port);
  socket.pause();
  const over = closed(socket);
  socket.write(GET);
  await new Promise<void>((resolve) => {
    const look = setInterval(() => {
      if (waiting[0]?.writableLength !== 0) return;
      clearInterval(look);
      resolve();
    }, 20);
  });
  socket.resume();
  await over;
});

test("who reads slowly but reads is not cut off", async () => {
  const size = 24 * 1_048_576;
  const port = await serve((_request, response) => void response.end(Buffer.alloc(size)), { stillMs: 500 });
  const socket = await connection(port);
  let taken = 0;
  socket.on("data", (chunk) => {
    taken += chunk.length;
    socket.pause();
    setTimeout(() => socket.resume(), taken < size / 8 ? 2 : 0);
  });
  socket.write("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
  await closed(socket);
  expect(taken).toBeGreaterThan(size);
});

test("what waits to be taken in all is bounded: who holds most is cut off", async () => {
  const port = await serve((request, response) => void response.end(Buffer.alloc(Number(request.url?.slice(1)) * 1_048_576)), {
    untakenBytes: 40 * 1_048_576,
  });
  const [small, large] = [await connection(port), await connection(port)];
  for (const socket of [small, large]) socket.pause();
  small.write(GET.replace("/", "/16"));
  large.write(GET.replace("/", "/48"));
  // Sent in vain until the other side is gone, as a connection that is not read does not see its end.
  const gone = closed(large);
  const poke = setInterval(() => large.write("\r\n"), 20);
  await gone;
  clearInterval(poke);
  const rest = heard(small, (text) => text.length > 16 * 1_048_576);
  small.resume();
  expect((await rest).length).toBeGreaterThan(16 * 1_048_576);
});

test("requests that are sent all at once are worked on one by one, each when the answer before is taken", async () => {
  let [now, most, begun] = [0, 0, 0];
  const port = await serve((request, response) => {
    now += 1;
    begun += 1;
    most = Math.max(most, now);
    setImmediate(() => {
      now -= 1;
      response.end(`${request.url} fine`);
    });
  }, {});
  const socket = await connection(port);
  const count = PIPELINED_MAX + 1;
  const all = heard(socket, (text) => text.includes(`/${count - 1} fine`));
  socket.write(Array.from({ length: count }, (_, n) => GET.replace("/", `/${n}`)).join(""));
  const order = [...(await all).matchAll(/\/(\d+) fine/g)].map(([, n]) => Number(n));
  expect(order).toEqual(Array.from({ length: count }, (_, n) => n));
  expect([most, begun]).toEqual([1, count]);
});

test("ten thousand requests on a connection whose answers nobody reads begin one, and end the connection", async () => {
  let begun = 0;
  const port = await serve(() => {
    begun += 1;
  }, {});
  const socket = await connection(port);
  socket.write(GET.repeat(10_000));
  await closed(socket);
  expect(begun).toBe(1);
});

test("a body that does not come ends its connection; a request that is worked on may take longer", async () => {
  let work: (() => void) | undefined;
  const port = await serve(
    (request, response) => {
      if (request.method === "POST") request.resume().on("end", () => response.end("fine"));
      else work = () => response.end("fine");
    },
    { stillMs: 100 },
  );
  const [patient, slow] = [await connection(port), await connection(port)];
  const answer = heard(patient, (text) => text.endsWith("fine"));
  patient.write(GET);
  slow.write("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nabc");
  slow.resume();
  await closed(slow);
  // The other one has been still for as long by now, and longer.
  await closed(await connection(port).then((spare) => spare.resume()));
  work?.();
  expect(statusOf(await answer)).toBe(200);
});
