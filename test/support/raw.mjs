/** Bytes on a connection, for what no HTTP client would send. */
import { connect } from "node:net";

/**
 * Opens a connection that survives its errors, from a loopback address of one's own where one is named.
 * @param {number} port
 * @param {string} [from]
 * @returns {Promise<import("node:net").Socket>} also when it was refused: it is destroyed then
 */
export function dial(port, from = "127.0.0.1") {
  return new Promise((resolve) => {
    const socket = connect({ port, host: from === "::1" ? "::1" : "127.0.0.1", localAddress: from });
    socket.on("error", () => {});
    socket.once("connect", () => resolve(socket));
    socket.once("close", () => resolve(socket));
  });
}

/**
 * Writes and gives what comes back until the other side closes, or `patienceMs` have passed.
 * @param {number} port
 * @param {string | Buffer} bytes
 * @param {{ readonly patienceMs?: number, readonly from?: string }} [options]
 * @returns {Promise<string>}
 */
export async function speak(port, bytes, { patienceMs = 2_000, from } = {}) {
  const socket = await dial(port, from);
  let heard = "";
  socket.on("data", (chunk) => {
    heard += chunk.toString("latin1");
  });
  const timer = setTimeout(() => socket.destroy(), patienceMs);
  await new Promise((resolve) => {
    if (socket.destroyed) return resolve(undefined);
    socket.once("close", resolve);
    socket.write(bytes);
  });
  clearTimeout(timer);
  return heard;
}

/** The status of an answer as it came over the wire; 0 when there was none. @param {string} heard */
export function statusOf(heard) {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(heard)?.[1] ?? 0);
}
