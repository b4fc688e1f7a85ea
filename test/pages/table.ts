/** How each command of the pages is run by the test: in a fresh clone, with default settings, at a free port. */

export type How =
  | { readonly run: "as written" }
  /** The same with its smallest arguments. What takes a minute even so is run where TEST_PAGES=all. */
  | { readonly run: "smaller"; readonly command: string; readonly slow: boolean }
  /** It does not end by itself: it is ended by Ctrl-C when it has said so. */
  | { readonly run: "until"; readonly says: RegExp }
  /** It stands for what another test runs. */
  | { readonly run: "elsewhere"; readonly where: string }
  | { readonly run: "not here"; readonly because: string };

const asWritten: How = { run: "as written" };
const smaller = (command: string): How => ({ run: "smaller", command, slow: false });
const slow = (command: string): How => ({ run: "smaller", command, slow: true });

/** The commands in the running text. */
export const COMMANDS: { readonly [command: string]: How } = {
  "npm ci": { run: "elsewhere", where: "the first block" },
  "npm run demo": { run: "elsewhere", where: "the first block" },
  "npm start": { run: "elsewhere", where: "the first block" },
  "npm run lint": asWritten,
  "npm run format": asWritten,
  "npm run typecheck": asWritten,
  "npm run imports": asWritten,
  "npm run build": asWritten,
  "npx vitest run test/machines": smaller("npx vitest run test/machines/market.test.ts"),
  "npm test": { run: "not here", because: "it is what runs this" },
  "npm run dev": { run: "until", says: /NexusToken answers on http:\/\/localhost:\d+/ },
  "npm run inspector": { run: "until", says: /inspector: http:\/\/localhost:8080/ },
  "npm run coverage": smaller("npm run coverage -- test/machines/market.test.ts"),
  "npm run knip": asWritten,
  "npm run docs:types": { run: "not here", because: "it fetches TypeDoc" },
  "npm run conformance": smaller("npm run conformance -- test/integration/docs.test.ts"),
  "npm run cluster": { run: "until", says: /answers? on http:\/\/localhost:\d+/ },
  "npm run simulate -- --seed 7": smaller("npm run simulate -- --seed 7 --steps 50"),
  "npm run simulate -- --seeds 10000": smaller("npm run simulate -- --seeds 2 --steps 50"),
  "npm run rolling -- --from 04646c0": { run: "not here", because: "it builds an older commit, which a clone may not have" },
  "npm run chaos -- --minutes 30": slow("npm run chaos -- --minutes 0.1 --clients 2 --lease 1000 --sleep 2000"),
  "npm run crash -- 200": slow("npm run crash -- 1 2"),
  "npm run strangers -- --seconds 60 --tasks 200": slow("npm run strangers -- --seconds 1 --tasks 1"),
  "npm run try:pages": { run: "not here", because: "it is this test, with all that is slow" },
  "npm run try:install": { run: "not here", because: "it makes a clone for each way to install; it is a test of its own" },
  "npm run diagrams": asWritten,
  "npm run mutation": { run: "not here", because: "it takes many minutes" },
  "npm run mutation -- market rules show": { run: "not here", because: ".ci/run has it just before this" },
  "npm run docs:settings": asWritten,
  "npm run docs:demo": { run: "not here", because: "it is the demo once more" },
  "npm run bench": smaller("npm run bench -- 10 2"),
  "npm run bench:cluster": slow("npm run bench:cluster -- 2 1000"),
  "npm run bench:append -- [another checkout]": {
    run: "not here",
    because: "it measures for minutes; its smallest run is its whole",
  },
  "npm run bench:fleet": slow("npm run bench:fleet -- --workers 10 --tasks 20 --idle-ms 1000"),
  "npm run bench:lists": { run: "not here", because: "it fills a database with a million tasks" },
  "npm run bench:match": { run: "not here", because: "it measures for a minute, and has no smaller run" },
  "npm run bench:peers": { run: "not here", because: "it fetches the queues that it measures" },
  "npm run bench:next": slow("npm run bench:next -- 1"),
  "npm run bench:streams": { run: "not here", because: "it measures for minutes with hundreds of streams" },
  "npm run bench:timing": smaller("npm run bench:timing -- 5"),
  "npm run bench:door": slow("npm run bench:door -- --seconds 1"),
  "npm run bench:judge": slow("npm run bench:judge -- --seconds 1 --tenants 1"),
  "npm run bench:stall": slow("npm run bench:stall -- --times 1 --seconds 1"),
  "npx nexus --help": { run: "elsewhere", where: "the table of commands" },
  "npx nexus cluster": { run: "elsewhere", where: "Many processes" },
};

/** The blocks, by their first line; each is run by a test of its own. */
export const BLOCKS: { readonly [name: string]: string } = {
  "npm ci": "installs, runs the demo, starts",
  "sh -eu <<'END'": "from register to result",
  "createdb nexus": "many processes",
  "POSTGRES_PASSWORD=secret1 NATS_PASSWORD=secret2 docker compose up --build": "not here: it needs Docker",
};

/** Pages whose blocks are one story: the first starts the platform, the others are pasted into one shell, in order. */
export const STORIES: readonly string[] = ["docs/USAGE_GUIDE.md", "docs/fleets.md"];
