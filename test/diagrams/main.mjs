/** Draws the statecharts in ARCHITECTURE.md anew: `npm run diagrams`. */
import { readFileSync, writeFileSync } from "node:fs";
import { withDiagrams } from "./mermaid.mjs";

/** @param {string} name */
const machineOf = async (name) => {
  const compiled = await import(new URL(`../../dist/machines/${name}/machine.js`, import.meta.url).href);
  return compiled[`${name}Machine`];
};

const page = new URL("../../ARCHITECTURE.md", import.meta.url);
const machines = await Promise.all(["task", "account", "batch"].map(machineOf));
writeFileSync(page, withDiagrams(readFileSync(page, "utf8"), machines));
