import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { checkThread } from "../../src/adapters/validator/check-thread.ts";

const THREAD = new URL("../../dist/src/adapters/validator/thread.js", import.meta.url);

test("a process learns before it serves whether the threads that judge results can start", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "nexus-thread-"));
  const broken = path.join(folder, "broken.mjs");
  await writeFile(broken, `throw new Error("broken")`);
  await expect(checkThread(THREAD, 64)).resolves.toBeUndefined();
  for (const file of [broken, path.join(folder, "missing.mjs")]) {
    await expect(checkThread(pathToFileURL(file), 64)).rejects.toThrow(
      "The validator threads do not start: build again (npm run build), or give the process more memory.",
    );
  }
  await rm(folder, { recursive: true });
});
