/** The documentation: the OpenAPI document and an interactive page, all of it served from here. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import type { Router, RouterContext } from "@koa/router";
import type { Operation } from "../operation.ts";
import { llmsFullText, llmsText } from "./llms.ts";
import { openApi } from "./openapi.ts";

const ASSETS: { readonly [name: string]: string } = {
  "swagger-ui.css": "text/css",
  "swagger-ui-bundle.js": "text/javascript",
};

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>NexusToken API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs", deepLinking: true, persistAuthorization: true, validatorUrl: null });
`;

/** Everything comes from this server, and nothing else is asked. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'";

/** Adds /openapi.json, /docs, /llms.txt and /llms-full.txt. */
export function docsRoutes(router: Router, operations: readonly Operation[], version: string): void {
  const folder = path.dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  const document = JSON.stringify(openApi(operations, version));
  router.get("/openapi.json", (context: RouterContext) => {
    context.type = "application/json";
    context.body = document;
  });
  const texts = { "/llms.txt": llmsText(operations), "/llms-full.txt": llmsFullText(operations) };
  for (const [path, text] of Object.entries(texts)) {
    router.get(path, (context: RouterContext) => {
      context.type = "text/plain; charset=utf-8";
      context.body = text;
    });
  }
  router.get("/docs", (context: RouterContext) => {
    context.set("Content-Security-Policy", POLICY);
    context.type = "html";
    context.body = PAGE;
  });
  router.get("/docs/start.js", (context: RouterContext) => {
    context.type = "text/javascript";
    context.body = START;
  });
  for (const [name, type] of Object.entries(ASSETS)) {
    router.get(`/docs/${name}`, async (context: RouterContext) => {
      context.type = type;
      context.set("Cache-Control", "public, max-age=86400");
      context.body = await readFile(path.join(folder, name));
    });
  }
}
