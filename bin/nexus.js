#!/usr/bin/env -S node --max-semi-space-size=32
// V8 takes this bound (MB, of the space for new objects) at its start only. With its own of 16, what a task in flight needs is copied
// more often before it is garbage: 10% more CPU per task (docs/operating.md).
import { existsSync } from "node:fs";

const cli = new URL("../dist/src/app/cli.js", import.meta.url);
if (!existsSync(cli)) {
  process.stderr.write("NexusToken is not built yet; run `npm run build` first.\n");
  process.exit(1);
}
await import(cli.href);
