/** A client that leaves. */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { CallOptions } from "./client.mjs";

/** Pulls tasks of a type at a gateway, and disconnects after `ms`, whatever has come by then. */
export async function pullAndLeave(port: number, type: string, ms: number, { key, idempotencyKey }: CallOptions): Promise<void> {
  const body = JSON.stringify({ task_types: [type], wait_ms: 20_000 });
  const head = [
    "POST /api/v1/work/pull HTTP/1.1",
    "Host: test",
    `X-API-Key: ${key}`,
    ...(idempotencyKey === undefined ? [] : [`Idempotency-Key: ${idempotencyKey}`]),
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
  ];
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  await sleep(ms);
  socket.destroy();
}
