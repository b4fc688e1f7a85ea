/** The browser of this machine, for tests of pages. */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/usr/bin/google-chrome-stable"];

/** Where a Chromium is, or undefined. */
export const CHROMIUM = [process.env["TEST_CHROMIUM"], ...PLACES].find((place) => place !== undefined && existsSync(place));

export const MISSING =
  "no Chromium was found, so no page was looked at; install one (Debian: apt-get install chromium) or set TEST_CHROMIUM";

/** A browser with a profile of its own, which asks nobody but the pages it is sent to. */
export async function openBrowser(executablePath: string): Promise<{ context: BrowserContext; close(): Promise<void> }> {
  const profile = await mkdtemp(path.join(tmpdir(), "nexus-browser-"));
  const quiet = [
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ];
  const args = ["--no-sandbox", "--no-first-run", ...quiet];
  const context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args });
  const close = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  };
  return { context, close };
}

/** A page, and everything that went wrong on it: errors, refusals by its policy, failed requests, questions to other hosts. */
export async function openPage(context: BrowserContext, url: string): Promise<{ page: Page; wrong: string[] }> {
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("requestfailed", (request) => wrong.push(`${request.url()} failed`));
  page.on("request", (request) => {
    const asked = new URL(request.url());
    if (/^https?:$/.test(asked.protocol) && asked.origin !== new URL(url).origin) wrong.push(`asked ${asked.origin}`);
  });
  await page.goto(url, { waitUntil: "networkidle" });
  return { page, wrong };
}
