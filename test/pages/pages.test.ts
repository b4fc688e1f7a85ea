/**
 * The pages do not lie: what they tell their readers to run is taken from their own text and run in a fresh clone, with default
 * settings. Only the port and the addresses of servers are other ones.
 */
import { execFileSync } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { freePort, startPrivate } from "../support/servers.mjs";
import { type Background, Checkout } from "./checkout.ts";
import { blocksOf, headingsOf, inlineOf, linksOf, PAGES, promisesOf, strayCommandsOf } from "./extract.ts";
import { BLOCKS, COMMANDS, STORIES } from "./table.ts";

const LONG_MS = 300_000;
const blocks = PAGES.flatMap(blocksOf);
const commands = [...new Set(PAGES.flatMap(inlineOf))];

function block(name: string): string {
  const found = blocks.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no page has a block that begins with ${name}`);
  return found.text;
}

/** Whether this machine has the program. */
function has(program: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`]);
    return true;
  } catch {
    return false;
  }
}

describe("what the pages tell to run", () => {
  test("is in the table, and the table has nothing else", () => {
    const single = blocks.filter(({ page }) => !STORIES.includes(page));
    expect(single.map(({ name }) => name).sort()).toEqual(Object.keys(BLOCKS).sort());
    for (const page of STORIES) expect(PAGES).toContain(page);
    expect(commands.filter((command) => !command.startsWith("nexus ")).sort()).toEqual(Object.keys(COMMANDS).sort());
    expect(PAGES.flatMap(strayCommandsOf)).toEqual([]);
  });

  test("can be pasted into any shell: zsh takes a comment for an argument", () => {
    for (const { name, text } of blocks) {
      const outside = text.replaceAll(/<<'(\w+)'\n[\s\S]*?^\1$/gm, "");
      expect(outside, name).not.toMatch(/(^|\s)#/m);
    }
  });
});

test("every link inside the project leads somewhere", () => {
  const links = [...PAGES, "ARCHITECTURE.md"].flatMap(linksOf);
  expect(links.length).toBeGreaterThan(3);
  for (const { file, heading } of links) {
    expect(existsSync(file), file).toBe(true);
    if (heading !== undefined) expect(headingsOf(file), `${file}#${heading}`).toContain(heading);
  }
});

describe("in a fresh clone", () => {
  let clone: Checkout;
  let platform: Background;
  let port: number;
  const here = (text: string) => text.replaceAll("localhost:8000", `localhost:${port}`);
  beforeAll(async () => {
    port = await freePort();
    clone = await Checkout.make();
  });
  afterAll(async () => {
    await platform?.interrupt();
    await clone?.remove();
  });

  test("the first block installs, shows the demo, and starts", { timeout: LONG_MS }, async () => {
    const [install, demo, start, ...more] = block("npm ci").trim().split("\n");
    expect([install, demo, start, ...more]).toEqual(["npm ci", "npm run demo", "npm start"]);
    const installed = await clone.run(String(install));
    expect(installed, installed.out).toMatchObject({ code: 0 });
    expect(installed.out).not.toMatch(/deprecated|npm warn/i);
    const shown = await clone.run(String(demo), ["sh"], { PORT: String(port) });
    expect(shown, shown.out).toMatchObject({ code: 0 });
    platform = await clone.start(String(start), /NexusToken answers on/, { PORT: String(port) });
    expect(platform.said()).toContain(`NexusToken answers on http://localhost:${port}`);
    for (const path of ["/", "/docs"]) expect((await fetch(`http://localhost:${port}${path}`)).status).toBe(200);
  });

  const shells: readonly (readonly [string, ...string[]])[] = [["sh"], ["bash"], ["zsh", "-f"]];
  const found = shells.filter(([shell]) => has(shell)).map((shell) => ({ name: shell[0], shell }));
  test.each(found)("register to result works in $name, twice in a row", { timeout: LONG_MS }, async ({ shell }) => {
    const text = block("sh -eu <<'END'");
    const promises = promisesOf(text);
    expect(promises).toHaveLength(4);
    for (const _ of ["once", "again"]) {
      const { code, out } = await clone.run(here(text), shell);
      expect(code, out).toBe(0);
      const lines = out.trim().split("\n");
      expect(Number(lines[0])).toBeGreaterThanOrEqual(1);
      expect(
        lines.slice(1).map((line, place) => promises[place]?.includes(line)),
        out,
      ).toEqual(promises.map(() => true));
    }
  });

  test("register to result stops with a sentence where nothing answers", async () => {
    const nothing = block("sh -eu <<'END'").replaceAll("localhost:8000", `localhost:${await freePort()}`);
    const { code, out } = await clone.run(nothing);
    expect(code).toBe(1);
    expect(out).toMatch(/^curl: \(7\).*\nNo answer\. Does the platform run \(npm start\)\?\n$/);
  });

  test("register to result stops with the platform's sentence where it is refused", async () => {
    const { code, out } = await clone.run(here(block("sh -eu <<'END'")).replace('"budget": 20', '"budget": 4'));
    expect([code, out]).toEqual([1, "budget: must be at least 5\n"]);
  });

  test("every command of nexus that is told of is one", async () => {
    const { out } = await clone.run("npx nexus --help");
    const known = new Set([...out.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name));
    const told = PAGES.flatMap(inlineOf).flatMap((command) => /^nexus (\w+)/.exec(command)?.[1] ?? []);
    expect(told.length).toBeGreaterThan(8);
    expect(told.filter((name) => !known.has(name))).toEqual([]);
  });

  test("many processes work on one machine as they stand there", { timeout: LONG_MS }, async () => {
    const name = `nexus_test_${randomBytes(6).toString("hex")}`;
    const server = new URL(inject("postgresUrl"));
    const admin = postgres(server.href, { max: 1 });
    const own = new URL(server);
    own.pathname = `/${name}`;
    const served = await freePort();
    const settings = {
      NATS_PREFIX: `t${randomUUID()}`,
      PGHOST: server.hostname,
      PGPORT: server.port || "5432",
      PGUSER: decodeURIComponent(server.username),
      PGPASSWORD: decodeURIComponent(server.password),
    };
    let text = block("createdb nexus")
      .replace("createdb nexus", `createdb ${name}`)
      .replace("postgres://localhost/nexus", own.href)
      .replace("npx nexus gateway", `PORT=${served} npx nexus gateway`)
      .replace("nats://localhost", inject("natsUrl"))
      .replace("redis://localhost", inject("redisUrl"));
    if (!has("createdb")) {
      await admin.unsafe(`create database ${name}`);
      text = text.replace(/^createdb .*\n/, "");
    }
    let cluster: Background | undefined;
    try {
      cluster = await clone.start(text, /NexusToken answers on/, settings);
      expect(cluster.said()).toContain(`NexusToken answers on http://localhost:${served}`);
      const register = { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"email": "ann@example.com"}' };
      expect((await fetch(`http://localhost:${served}/api/v1/auth/register`, register)).status).toBe(201);
      const exported = text.split("\n").filter((line) => line.startsWith("export "));
      const serving = async () => {
        const { code, out } = await clone.run([...exported, "npx nexus cluster"].join("\n"), ["sh"], settings);
        expect(code, out).toBe(0);
        return out.match(/^\S+ +1 +serving /gm)?.length;
      };
      // The gateway answers as soon as one node does.
      await expect.poll(serving, { timeout: 30_000, interval: 1_000 }).toBe(2);
    } finally {
      await cluster?.interrupt();
      await admin.unsafe(`drop database if exists ${name} with (force)`);
      await admin.end();
    }
  });

  test("the usage guide works as it stands there, twice in a row", { timeout: LONG_MS }, async () => {
    const [start, ...rest] = blocksOf("docs/USAGE_GUIDE.md").map(({ text }) => text);
    const served = await freePort();
    const guided = await clone.start(String(start), /NexusToken answers on/, {
      PORT: String(served),
      NEXUS_DATA_DIR: ".nexus/guide",
    });
    const receiver = await freePort();
    const text = rest
      .join("\n")
      .replaceAll("localhost:8000", `localhost:${served}`)
      .replaceAll(/\b9000\b/g, String(receiver));
    try {
      for (const _ of ["once", "again"]) {
        const { code, out } = await clone.run(`set -eu\n${text}`);
        expect(code, out).toBe(0);
        expect(out).toMatch(
          /^\{"credits_balance":50,.*\nCOMPLETED\ntask\.terminal SETTLED \{"company":"Apple Inc","revenue":"\$81\.8 billion"\}\nSETTLED\n/,
        );
        for (const part of ['"amount":12,', '"result":"delivered"', '"status":"RUNNING"', '"code":"API_KEY_INVALID"']) {
          expect(out).toContain(part);
        }
      }
    } finally {
      expect(await guided.interrupt()).toBe(true);
    }
  });

  test("fleets work as it stands there, from the server's configuration to a result, asking and listening", {
    timeout: LONG_MS,
  }, async () => {
    // Installs the program where that is possible.
    await (await startPrivate("nats")).stop();
    const [start, ...rest] = blocksOf("docs/fleets.md").map(({ text }) => text);
    const [served, nats] = [await freePort(), await freePort()];
    const settings = { PORT: String(served), NEXUS_DATA_DIR: ".nexus/fleets", PATH: `${clone.env["PATH"]}:/usr/sbin` };
    const there = (text: string) =>
      text
        .replace("fleet config --dir nats", `fleet config --dir nats --listen 127.0.0.1:${nats}`)
        .replaceAll("nats://localhost", `nats://localhost:${nats}`)
        .replaceAll("localhost:4222", `localhost:${nats}`)
        .replaceAll("localhost:8000", `localhost:${served}`);
    const platform = await clone.start(there(String(start)), /NexusToken answers on/, settings);
    try {
      const { code, out } = await clone.run(`set -eu\n${there(rest.join("\n"))}`, ["sh"], settings);
      expect([code, out]).toEqual([0, "COMPLETED\nSETTLED Apple Inc\n"]);
    } finally {
      // A shell without job control keeps Ctrl-C from what it runs in the background.
      await clone.run("kill $(cat nats/nats-server.pid)");
      expect(await platform.interrupt(), platform.said()).toBe(true);
    }
  });

  for (const command of commands) {
    const how = COMMANDS[command];
    if (how === undefined || how.run === "elsewhere" || how.run === "not here") continue;
    const late = how.run === "smaller" && how.slow && process.env["TEST_PAGES"] !== "all";
    test.skipIf(late)(
      `\`${command}\` (${how.run}${how.run === "smaller" ? `: ${how.command}` : ""})`,
      { timeout: LONG_MS },
      async () => {
        const settings = { PORT: String(await freePort()) };
        if (how.run === "until") {
          // The platform of the first block still works on the data folder of the clone.
          const data = { NEXUS_DATA_DIR: path.join(clone.folder, ".nexus", "until") };
          const running = await clone.start(command, how.says, { ...settings, ...data });
          expect(await running.interrupt(), running.said()).toBe(true);
          return;
        }
        const { code, out } = await clone.run(how.run === "smaller" ? how.command : command, ["sh"], settings);
        expect(code, out).toBe(0);
      },
    );
  }
});
