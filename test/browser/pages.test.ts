/** The pages as a browser shows them: whole, without an error, and with nothing from elsewhere. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Market } from "../support/market.ts";
import { CHROMIUM, MISSING, openBrowser, openPage } from "./chromium.ts";

if (CHROMIUM === undefined) process.stderr.write(`${MISSING}\n`);

describe.skipIf(CHROMIUM === undefined)(CHROMIUM === undefined ? MISSING : "in Chromium", () => {
  let market: Market;
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  let base: string;
  beforeAll(async () => {
    market = await Market.start();
    browser = await openBrowser(CHROMIUM ?? "");
    base = `http://localhost:${market.port}`;
  });
  afterAll(async () => {
    await browser?.close();
    await market?.stop();
  });

  test("the first page says what this is and how it is, in light and dark, on a desk and on a phone", async () => {
    const { page, wrong } = await openPage(browser.context, `${base}/`);
    expect(await page.title()).toBe("NexusToken");
    expect(await page.locator(".status").textContent()).toBe("Ready");
    const backgrounds = new Set<string>();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      backgrounds.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
      for (const width of [1_280, 360]) {
        await page.setViewportSize({ width, height: 800 });
        expect(await page.evaluate("document.documentElement.scrollWidth"), `${width} px wide`).toBeLessThanOrEqual(width);
      }
    }
    expect(backgrounds.size).toBe(2);
    expect(await page.evaluate("document.querySelector('header img').naturalWidth")).toBeGreaterThan(0);
    for (const link of await page.locator("a").all()) {
      const to = (await link.getAttribute("href")) ?? "";
      expect((await fetch(new URL(to, base))).status, to).toBe(200);
    }
    expect(wrong).toEqual([]);
  });

  test("the API's page lets a person make a call with their key", async () => {
    const ann = await market.register();
    const { page, wrong } = await openPage(browser.context, `${base}/docs`);
    await page.getByRole("button", { name: "Authorize" }).first().click();
    await page.getByLabel("Value").or(page.locator(".auth-container input")).first().fill(ann.key);
    await page.locator(".auth-btn-wrapper .authorize").first().click();
    await page.locator(".auth-btn-wrapper .btn-done").first().click();
    const operation = page.locator(".opblock", { has: page.locator('[data-path="/api/v1/credits/balance"]') });
    await operation.locator(".opblock-summary").click();
    await operation.getByRole("button", { name: "Try it out" }).click();
    await operation.getByRole("button", { name: "Execute" }).click();
    await page.waitForSelector(".live-responses-table .response-col_status");
    expect(await operation.locator(".live-responses-table").textContent()).toContain('"credits_balance": 50');
    expect(wrong).toEqual([]);
  });
});
