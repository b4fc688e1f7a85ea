/**
 * A part of the least that a platform could be on which workers wait: `door` takes pulls over HTTP and NATS and asks `matcher`, which
 * answers when their time is over. Nothing is checked and nothing is read. Arguments: the part, the URL of the inner NATS and of the
 * fleets'. Says {"port": n} when it is ready.
 */
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { connect, headers } from "nats";

const [part, inner = "", fleets = ""] = process.argv.slice(2);
const MATCHER = "floor.matcher";
/** What a wait says of its worker and its gateway beside what was asked (bytes, about). */
const TERMS = "x".repeat(500);
const ANSWER = JSON.stringify({ tasks: [], limited: null });
const LATE_MS = 5_000;
const KEEP_ALIVE_MS = 600_000;

/** @param {number} port */
const ready = (port) => process.stdout.write(`${JSON.stringify({ port })}\n`);
const bus = await connect({ servers: inner });

function match() {
  bus.subscribe(MATCHER, {
    callback: (_, message) => {
      const { wait_ms: ms } = /** @type {{ wait_ms: number }} */ (message.json());
      setTimeout(() => message.respond(ANSWER), ms);
    },
  });
  ready(0);
}

/** @param {any} pull */
async function wait(pull) {
  const answer = await bus.request(MATCHER, JSON.stringify({ ...pull, terms: TERMS }), { timeout: pull.wait_ms + LATE_MS });
  return JSON.stringify(answer.json());
}

async function open() {
  const fleet = await connect({ servers: fleets });
  fleet.subscribe("floor.api.v1.*.work.pull", {
    queue: "doors",
    callback: async (_, message) => {
      message.headers?.get("X-API-Key");
      const answer = headers();
      answer.set("X-Request-Id", message.subject);
      message.respond(await wait(message.json()), { headers: answer });
    },
  });
  const server = createServer(async (request, response) => {
    const answer = await wait(await json(request));
    response.setHeader("Content-Type", "application/json");
    response.end(answer);
  });
  // Clients keep their connections between two measurements.
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    ready(typeof address === "object" && address !== null ? address.port : 0);
  });
}

if (part === "matcher") match();
else await open();
