/**
 * Draws docs/images/demo.svg: what the demo prints when it has ended, as a terminal shows it. Run it when the demo's output has changed.
 *
 *   npm run docs:demo
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { freePort } from "../support/servers.mjs";

const COLUMNS = 100;
const LINE_PX = 18;
const CHARACTER_PX = 7.8;
const MARGIN_PX = 16;
const BAR_PX = 30;
const COLOURS = { paper: "#12181a", bar: "#232b2e", ink: "#d5dedb", soft: "#84938e", good: "#6cc9ae", price: "#e0b36a" };

const folder = mkdtempSync(path.join(tmpdir(), "nexus-picture-"));
const env = { ...process.env, PORT: String(await freePort()), NEXUS_DATA_DIR: folder };
const printed = execFileSync("node", ["bin/nexus.js", "demo"], { encoding: "utf8", env }).replaceAll(env.PORT, "8000");
rmSync(folder, { recursive: true });

/** Each text has a line for each of its states; a terminal shows the last one in the place of the others. */
const rows = new Map();
const [started = "", ...rest] = printed.trimEnd().split("\n");
for (const [number, line] of rest.entries()) rows.set(/^\d\d-\S+/.exec(line)?.[0] ?? number, line);
const lines = ["$ npm run demo", started, ...rows.values()];

/** With spaces that a viewer of SVG does not draw as one. @param {string} text */
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(" ", "\u00a0");
/** @param {string} text @param {string} colour */
const painted = (text, colour) => `<tspan fill="${colour}">${escaped(text)}</tspan>`;

/** @param {string} line */
function drawn(line) {
  const cut = line.length > COLUMNS ? `${line.slice(0, COLUMNS - 1)}…` : line;
  const task = /^(\d\d-.*?)(SETTLED)( +\d+)(.*)$/.exec(cut);
  if (task !== null) {
    const [, name = "", state = "", price = "", result = ""] = task;
    return escaped(name) + painted(state, COLOURS.good) + painted(price, COLOURS.price) + escaped(result);
  }
  if (cut.startsWith("ok ")) return painted("ok", COLOURS.good) + escaped(cut.slice(2));
  return /^(TEXT |Started|\$)/.test(cut) ? painted(cut, COLOURS.soft) : escaped(cut);
}

const width = Math.ceil(2 * MARGIN_PX + COLUMNS * CHARACTER_PX);
const height = BAR_PX + 2 * MARGIN_PX + lines.length * LINE_PX;
const texts = lines.map((line, n) => `<text x="${MARGIN_PX}" y="${BAR_PX + MARGIN_PX + 12 + n * LINE_PX}">${drawn(line)}</text>`);
const buttons = [0, 1, 2].map((n) => `<circle cx="${20 + n * 18}" cy="15" r="5" fill="${COLOURS.soft}"/>`);
writeFileSync(
  "docs/images/demo.svg",
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="npm run demo">
<rect width="${width}" height="${height}" rx="8" fill="${COLOURS.paper}"/>
<path d="M0 8a8 8 0 0 1 8-8h${width - 16}a8 8 0 0 1 8 8v22H0z" fill="${COLOURS.bar}"/>
${buttons.join("")}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" fill="${COLOURS.ink}">
${texts.join("\n")}
</g>
</svg>
`,
);
