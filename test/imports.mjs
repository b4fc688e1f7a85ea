/**
 * Checks that imports run one way: src/app wires everything; gateway -> actors -> machines; machines import nothing of ours.
 * Also which packages a room may use, so that no HTTP, SQL or file system turns up where it does not belong, and that an
 * adapter knows its port only: no other adapter, nothing of the app that wires it. And that no file imports itself by way of
 * others, not even for a type.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** @type {Record<string, { readonly rooms: readonly string[], readonly packages: readonly string[] | undefined }>} */
const ROOMS = {
  machines: { rooms: ["machines"], packages: ["xstate", "ajv", "idn-hostname", "re2js", "lru-cache"] },
  actors: { rooms: ["actors", "machines"], packages: ["xstate"] },
  gateway: {
    rooms: ["gateway", "actors", "machines"],
    packages: ["koa", "@koa/router", "typebox", "ajv", "ajv-formats", "lru-cache", "raw-body", "ipaddr.js", "node"],
  },
  src: { rooms: ["src", "gateway", "actors", "machines"], packages: undefined },
};
/** Rooms whose inside is not for a certain other room. What hosts actors does not know the market; what matches is about it. */
const CLOSED = [
  { from: /^actors\//, to: /^machines\/account\// },
  { from: /^actors\/(?!matching\/)/, to: /^machines\/market\// },
  { from: /^gateway\//, to: /^actors\/(host|effects)\// },
];
const SPECIFIER = /(?:^|\n)\s*(?:import|export)\s(?:[^"';]*?\sfrom\s)?["']([^"']+)["']|import\(["']([^"']+)["']\)/g;

const root = path.resolve(import.meta.dirname, "..");
/** @type {string[]} */
const wrong = [];

/** @param {string} folder */
function files(folder) {
  return readdirSync(path.join(root, folder), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".ts"))
    .map((name) => path.join(folder, name).replaceAll(path.sep, "/"));
}

/** @param {string} specifier */
function packageOf(specifier) {
  if (specifier.startsWith("node:")) return "node";
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/**
 * @param {string} room
 * @param {string} file
 * @param {string} specifier
 */
function check(room, file, specifier) {
  const { rooms, packages } = /** @type {(typeof ROOMS)[string]} */ (ROOMS[room]);
  if (!specifier.startsWith(".")) {
    if (packages !== undefined && !packages.includes(packageOf(specifier)))
      wrong.push(`${file} uses ${specifier}, which is not for ${room}/`);
    return;
  }
  const target = path.posix.join(path.posix.dirname(file), specifier);
  if (!rooms.includes(target.split("/")[0] ?? "")) wrong.push(`${file} imports ${target}, against the stream`);
  const adapter = /^src\/adapters\/[^/]+\//.exec(file)?.[0];
  if (adapter !== undefined && target.startsWith("src/") && !target.startsWith(adapter))
    wrong.push(`${file} imports ${target}: an adapter imports no other adapter, and nothing of src/app`);
  for (const { from, to } of CLOSED) {
    if (from.test(file) && to.test(target)) wrong.push(`${file} imports ${target}, which is the inside of another room`);
  }
}

/**
 * What each file imports of ours, types too: where two files need each other's types, neither can be read first.
 * @type {Map<string, readonly string[]>}
 */
const imports = new Map();

/**
 * Finds a circle among the files that `way` leads to. Each file is looked at once.
 * @param {readonly string[]} way
 * @param {Set<string>} seen
 */
function circle(way, seen) {
  const file = way.at(-1) ?? "";
  if (seen.has(file)) return;
  for (const next of imports.get(file) ?? []) {
    if (way.includes(next)) wrong.push(`a circle: ${[...way.slice(way.indexOf(next)), next].join(" -> ")}`);
    else circle([...way, next], seen);
  }
  seen.add(file);
}

let count = 0;
for (const room of Object.keys(ROOMS)) {
  for (const file of files(room)) {
    count += 1;
    const text = readFileSync(path.join(root, file), "utf8");
    const specifiers = [...text.matchAll(SPECIFIER)].map(([, from, lazy]) => from ?? lazy ?? "");
    for (const specifier of specifiers) check(room, file, specifier);
    const own = specifiers.filter((specifier) => specifier.startsWith("."));
    imports.set(
      file,
      own.map((specifier) => path.posix.join(path.posix.dirname(file), specifier)),
    );
  }
}
const seen = new Set();
for (const file of imports.keys()) circle([file], seen);
process.stdout.write(wrong.length === 0 ? `${count} files: all imports run one way, in no circle\n` : `${wrong.join("\n")}\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;
