/** The page at /: what this is, whether it can serve, and where to go next. Clients that do not ask for HTML get JSON. */
import { createHash } from "node:crypto";
import type { RouterContext } from "@koa/router";
import type { GatewaySettings, Services } from "../services.ts";

/** A health check is shared by all requests within this time (ms). */
const LOOK_MS = 1_000;

const STYLE = `
:root { color-scheme: light dark; --ink: #1b2420; --soft: #5c6a64; --line: #dfe5e1; --paper: #fbfcfb; --card: #fff; --mark: #1f6f5c; --bad: #a33a2a; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4ebe7; --soft: #97a59e; --line: #2b3531; --paper: #121715; --card: #19201d; --mark: #6cc9ae; --bad: #ef9082; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.6 system-ui, sans-serif; }
main { max-width: 44rem; margin: 0 auto; padding: 3.5rem 1.25rem 2.5rem; }
header { display: flex; gap: .9rem; align-items: center; }
header img { width: 2.6rem; height: 2.6rem; }
h1 { margin: 0; font-size: 1.7rem; letter-spacing: -.01em; }
h2 { margin: 2.4rem 0 .7rem; font-size: 1.05rem; }
p { margin: .9rem 0; }
a { color: var(--mark); text-underline-offset: .15em; }
.status { display: inline-flex; gap: .5rem; align-items: baseline; margin: 1.1rem 0 .3rem; padding: .15rem .75rem; border: 1px solid var(--line); border-radius: 1rem; font-size: .9rem; color: var(--soft); }
.status::before { content: ""; width: .55rem; height: .55rem; border-radius: 50%; background: var(--mark); }
.status.bad { color: var(--bad); }
.status.bad::before { background: var(--bad); }
.links { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: .7rem; padding: 0; list-style: none; }
.links a { display: block; height: 100%; padding: .75rem .95rem; border: 1px solid var(--line); border-radius: .6rem; background: var(--card); color: inherit; text-decoration: none; }
.links a:hover, .links a:focus-visible { border-color: var(--mark); }
.links b { display: block; color: var(--mark); }
.links span { font-size: .88rem; color: var(--soft); }
pre { overflow-x: auto; margin: 0; padding: 1rem; border: 1px solid var(--line); border-radius: .6rem; background: var(--card); font: .84rem/1.55 ui-monospace, monospace; }
code { font-family: ui-monospace, monospace; font-size: .92em; }
footer { margin-top: 2.6rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .88rem; color: var(--soft); }
`;

const HASH = createHash("sha256").update(STYLE).digest("base64");
/** The page runs no script and loads nothing from elsewhere. */
const POLICY = `default-src 'none'; style-src 'sha256-${HASH}'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const LINKS = [
  { to: "/docs", name: "API", about: "every call, to read and to try out" },
  { to: "/openapi.json", name: "OpenAPI 3.1", about: "the same for programs" },
  { to: "/llms-full.txt", name: "As one text", about: "the same for agents" },
  { to: "/health", name: "Health", about: "whether it can serve, as JSON" },
];

/** Makes the handler of `GET /`. */
export function serveHome({ health, clock, settings }: Services): (context: RouterContext) => Promise<void> {
  let last = { at: Number.NEGATIVE_INFINITY, unavailable: Promise.resolve<string | null>(null) };
  return async function showHome(context) {
    const now = clock.now();
    if (now - last.at >= LOOK_MS) last = { at: now, unavailable: health.unavailable() };
    const unavailable = await last.unavailable;
    context.status = 200;
    context.vary("Accept");
    context.set({ "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" });
    if (context.accepts("json", "html") === "html") {
      context.set("Content-Security-Policy", POLICY);
      context.type = "html";
      context.body = page(
        context.host === "" ? settings.publicUrl : `${context.protocol}://${context.host}`,
        settings,
        unavailable,
      );
      return;
    }
    context.type = "json";
    context.body = JSON.stringify({
      name: "NexusToken",
      version: settings.version,
      status: unavailable === null ? "ok" : "unavailable",
      ...(unavailable === null ? {} : { detail: unavailable }),
      api: "/api/v1",
      docs: "/docs",
      openapi: "/openapi.json",
      llms: "/llms.txt",
      health: "/health",
    });
  };
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0)};`);
}

function page(origin: string, { version, signupGrant }: GatewaySettings, unavailable: string | null): string {
  const status =
    unavailable === null ? `<p class="status">Ready</p>` : `<p class="status bad">Not ready: ${escaped(unavailable)}</p>`;
  const links = LINKS.map(({ to, name, about }) => `<li><a href="${to}"><b>${name}</b><span>${about}</span></a></li>`).join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>NexusToken</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<style>${STYLE}</style>
</head>
<body>
<main>
<header><img src="/favicon.svg" alt=""><h1>NexusToken</h1></header>
${status}
<p>An open market for AI work. A requester posts a task: a text, a JSON Schema, a budget. Workers bid, the best one gets it and
returns JSON. The platform checks the result against the schema and moves the money.</p>
<ul class="links">
${links}
</ul>
<h2>First calls</h2>
<pre>curl ${escaped(origin)}/api/v1/auth/register \\
  -H 'Content-Type: application/json' -d '{"email": "you@example.com"}'

curl ${escaped(origin)}/api/v1/credits/balance \\
  -H 'X-API-Key: <i>the api_key that you got</i>'</pre>
<p>A new account is given ${signupGrant} NC. From there to a paid task: <code>docs/quick-start.md</code>; every call by example: <code>docs/USAGE_GUIDE.md</code>.
<code>npm run demo</code> takes the ten texts in <code>examples/</code> from posted to paid.</p>
<footer>NexusToken ${escaped(version)} · MIT licence</footer>
</main>
</body>
</html>
`;
}
