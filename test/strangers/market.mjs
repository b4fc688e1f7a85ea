/** Strangers within the market: its tasks, batches, lists, webhooks and other people's work. */
import { randomUUID } from "node:crypto";

/** @typedef {import("./stranger.mjs").Stranger} Stranger */
/** @typedef {import("./judging.mjs").Kind} Kind */

/** Names and addresses that webhooks may not go to, in spellings that a careless guard lets pass. */
const PRIVATE = [
  "http://localhost:5432/",
  "http://127.1/",
  "http://2130706433/",
  "http://0x7f.1/",
  "http://[::1]/",
  "http://[::ffff:127.0.0.1]/",
  "http://169.254.169.254/latest/meta-data/",
  "http://10.0.0.1:80/",
  "http://localhost.localdomain/",
  "http://127.0.0.1.nip.io/",
  "file:///etc/passwd",
  "https://user:pass@example.com/",
];

/** @param {Stranger} stranger @param {object} changes @returns {Promise<string | undefined>} */
async function post(stranger, changes = {}) {
  const reply = await stranger.call("POST", "/tasks", { ...stranger.order, ...changes });
  return reply?.status === 201 ? reply.body.id : undefined;
}

const BIG = {
  input_data: "\u{1F4A5}".repeat(5_000),
  schema: { type: "object", title: "t".repeat(12_000) },
  example_output: { a: "x".repeat(12_000) },
};

/** @type {Record<string, Kind>} */
export const MARKET = {
  "task types that are not there": {
    everyMs: 1_000,
    turn: (stranger) =>
      stranger.burst(10, (n) => {
        const type = `${stranger.dice.pick(["mining", "constructor", "a\u0000b", "é", "__proto__"])}${n % 2 === 0 ? randomUUID() : ""}`;
        const query = encodeURIComponent(type);
        if (n % 3 === 0) return stranger.call("GET", `/tasks/available?task_type=${query}`);
        if (n % 3 === 1) return stranger.call("POST", "/capabilities", { task_type: type });
        return stranger.call("POST", "/tasks", { ...stranger.order, task_type: type });
      }),
  },
  "pages of big tasks": {
    everyMs: 1_000,
    turn: async (stranger) => {
      await stranger.burst(4, () => post(stranger, BIG));
      await stranger.burst(6, (n) => stranger.call("GET", n % 2 === 0 ? "/tasks?limit=200" : "/tasks/available?limit=200"));
    },
  },
  "batches of a thousand": {
    everyMs: 1_000,
    turn: (stranger) => {
      const { input_data: _, ...template } = stranger.order;
      const items = Array.from({ length: 1_000 }, (_one, n) => ({ input_data: `${n}` }));
      return stranger.burst(8, () => stranger.call("POST", "/tasks/batch", { template, items, max_concurrent: 100 }));
    },
  },
  "one Idempotency-Key for many bodies": {
    everyMs: 1_000,
    turn: (stranger) =>
      stranger.burst(10, (n) => {
        const idempotencyKey = stranger.dice.pick(["k", '"k"', "y".repeat(255), "z".repeat(256), "a b"]);
        const body =
          n % 2 === 0 ? { ...stranger.order, budget: 5 + (n % 3) } : Object.fromEntries(Object.entries(stranger.order).reverse());
        return stranger.call("POST", "/tasks", body, { idempotencyKey });
      }),
  },
  "webhooks to who never answers": {
    everyMs: 1_000,
    turn: (stranger) =>
      stranger.burst(5, async () => {
        const id = await post(stranger, { callback_url: stranger.hook });
        if (id !== undefined) await stranger.call("DELETE", `/tasks/${id}`);
      }),
  },
  "webhooks to where they may not go": {
    everyMs: 1_000,
    turn: (stranger) =>
      stranger.burst(10, async () => {
        const id = await post(stranger, { callback_url: stranger.dice.pick(PRIVATE) });
        if (id !== undefined) await stranger.call("DELETE", `/tasks/${id}`);
      }),
  },
  "hands on other people's tasks": {
    everyMs: 1_000,
    turn: async (stranger) => {
      const ids = stranger.prey.length === 0 ? [randomUUID()] : stranger.prey;
      await stranger.burst(10, (n) => {
        const id = stranger.dice.pick(ids);
        const [method, path, body] = /** @type {const} */ ([
          // Dearer than any honest bid, so that the cheapest stays who it is.
          ["POST", `/tasks/${id}/bid`, { bid_credits: 20 }],
          ["POST", `/tasks/${id}/submit`, { result_data: { name: "Mallory" } }],
          ["DELETE", `/tasks/${id}`, undefined],
          ["GET", `/tasks/${id}/ledger`, undefined],
          ["POST", `/tasks/${id}/start`, undefined],
          ["POST", `/tasks/${id}/rating`, { rating: 1 }],
        ])[n % 6] ?? ["GET", `/tasks/${id}`, undefined];
        return stranger.call(method, path, body);
      });
    },
  },
  "tasks that are cancelled at once": {
    everyMs: 1_000,
    turn: (stranger) =>
      stranger.burst(4, async () => {
        const id = await post(stranger);
        if (id !== undefined) await stranger.burst(2, () => stranger.call("DELETE", `/tasks/${id}`));
      }),
  },
  "capabilities that change, and ever new keys": {
    everyMs: 1_000,
    turn: async (stranger) => {
      const task_type = stranger.dice.pick(["text_generation", "analysis"]);
      const tags = Array.from({ length: 20 }, () => randomUUID());
      await stranger.burst(8, () => stranger.call("POST", "/capabilities", { task_type, tags, description: "d".repeat(1_000) }));
      const rotated = await stranger.call("POST", "/auth/rotate-key");
      if (rotated?.status === 200) stranger.key = rotated.body.api_key;
    },
  },
};
