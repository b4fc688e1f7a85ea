/** The documentation: the OpenAPI document and an interactive page, served without any outside resource. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { Router } from "@koa/router";
import type { FleetOperation, Operation } from "../http/operation.ts";
import type { Services } from "../services.ts";
import { type Asset, serveAsset } from "./assets.ts";
import { serveHome } from "./home.ts";
import { ICON_ICO, ICON_SVG } from "./icon.ts";
import { llmsFullText, llmsText } from "./llms.ts";
import { openApi } from "./openapi.ts";

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>NexusToken API</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
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

/** Everything is loaded from this server. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'";

/** Adds /, /docs, /openapi.json, /llms.txt, /llms-full.txt and the icon. */
export function docsRoutes(
  router: Router,
  operations: readonly Operation[],
  ofFleets: readonly FleetOperation[],
  services: Services,
): void {
  const folder = path.dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  const text = "text/plain; charset=utf-8";
  const assets: { readonly [path: string]: Asset } = {
    "/openapi.json": { type: "application/json", body: JSON.stringify(openApi(operations, services.settings.version)) },
    "/llms.txt": { type: text, body: llmsText(operations) },
    "/llms-full.txt": { type: text, body: llmsFullText(operations, ofFleets) },
    "/favicon.svg": { type: "image/svg+xml", body: ICON_SVG },
    "/favicon.ico": { type: "image/x-icon", body: ICON_ICO },
    "/docs": { type: "text/html; charset=utf-8", body: PAGE, policy: POLICY },
    "/docs/start.js": { type: "text/javascript; charset=utf-8", body: START },
    "/docs/swagger-ui.css": { type: "text/css; charset=utf-8", body: readFileSync(path.join(folder, "swagger-ui.css")) },
    "/docs/swagger-ui-bundle.js": {
      type: "text/javascript; charset=utf-8",
      body: readFileSync(path.join(folder, "swagger-ui-bundle.js")),
    },
  };
  for (const [path, asset] of Object.entries(assets)) router.get(path, serveAsset(asset));
  router.get("/", serveHome(services));
}
