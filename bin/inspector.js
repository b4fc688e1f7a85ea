/**
 * Opens Stately's inspector in a browser and relays to it what live actors do, until Ctrl-C.
 *
 *   npm run inspector [-- port]
 *
 * The relay listens on every address of this machine, and its page is Stately's: for development only.
 */
import { createInspectorServer } from "@statelyai/inspect/server";

const port = Number(process.argv[2] ?? 8080);
if (!Number.isInteger(port) || port < 1 || port > 65_535) {
  process.stderr.write(`"${process.argv[2]}" is no port: give a whole number from 1 to 65535, or none for 8080.\n`);
  process.exit(1);
}
createInspectorServer({ port });
process.stderr.write(`inspector: http://localhost:${port}; now start the platform with INSPECTOR_URL=ws://127.0.0.1:${port}\n`);
