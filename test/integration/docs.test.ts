/** The documents: complete, self-contained, with examples that are true. */
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Reply } from "../support/client.mjs";
import { Market } from "../support/market.ts";

let market: Market;
let document: Reply["body"];
beforeAll(async () => {
  market = await Market.start();
  document = (await market.client.call("GET", "//openapi.json")).body;
});
afterAll(() => market.stop());

const ajv = new Ajv2020({ strict: false });
formats.default(ajv);

function operations(): { name: string; path: string; method: string; operation: Reply["body"] }[] {
  return Object.entries<Record<string, Reply["body"]>>(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, method, operation })),
  );
}

test("every operation has a summary, its errors, and examples that pass its own schemas", () => {
  const names = new Set<string>();
  for (const { name, operation } of operations()) {
    expect(operation.summary, name).toBeTruthy();
    expect(names.has(operation.operationId), name).toBe(false);
    names.add(operation.operationId);
    const statuses = Object.keys(operation.responses).filter((status) => status !== "default");
    expect(
      statuses.some((status) => status >= "400"),
      name,
    ).toBe(true);
    for (const status of statuses) {
      for (const [type, { schema, example }] of Object.entries<Reply["body"]>(operation.responses[status].content)) {
        if (type === "text/event-stream" || schema.$ref !== undefined) continue;
        expect(ajv.validate(schema, example), `${name} ${status}: ${ajv.errorsText()} in ${JSON.stringify(example)}`).toBe(true);
      }
    }
    const body = operation.requestBody?.content["application/json"];
    if (body !== undefined) expect(ajv.validate(body.schema, body.example), `${name}: ${ajv.errorsText()}`).toBe(true);
  }
  const problem = document.components.schemas.Problem;
  for (const { name, operation } of operations()) {
    const { example } = operation.responses["503"].content["application/problem+json"];
    expect(ajv.validate(problem, example), name).toBe(true);
  }
});

test("the parts of the API are told in an order, and every operation is in one of them", () => {
  const told: string[] = document.tags.map(({ name }: { name: string }) => name);
  const used = new Set(operations().flatMap(({ operation }): string[] => operation.tags));
  expect([...used].sort()).toEqual([...told].sort());
});

test("the example of a task can be posted as it is", async () => {
  const { example } = document.paths["/api/v1/tasks"].post.requestBody.content["application/json"];
  expect(await market.ok("POST", "/tasks", example, await market.register())).toMatchObject({ status: "ROUTING" });
});

test("llms.txt and llms-full.txt name every operation; the full one has every field, and asks nothing of the network", async () => {
  const short = String((await market.client.call("GET", "//llms.txt")).body);
  const full = await market.client.call("GET", "//llms-full.txt");
  expect(full.headers["content-type"]).toBe("text/plain; charset=utf-8");
  const text = String(full.body);
  for (const { path, method, operation } of operations()) {
    const title = `${method.toUpperCase()} ${path}`;
    expect(short).toContain(`\`${title}\``);
    expect(text).toContain(`### ${title}\n`);
    for (const field of Object.keys(operation.requestBody?.content["application/json"].schema.properties ?? {})) {
      expect(text, title).toContain(`- \`${field}\``);
    }
  }
  for (const page of [short, text]) expect(page.replaceAll("https://example.com", "")).not.toMatch(/https?:\/\//);
});
