/** Names that others build on or read: of operations, in the OpenAPI document, and of functions, in stack traces and profiles. */
import { expect, test } from "vitest";
import { openApi } from "../../gateway/docs/openapi.ts";
import { commonMiddleware, createHealthApp, createStartingApp } from "../../gateway/http/app.ts";
import { allowedMethods } from "../../gateway/http/middleware/methods.ts";
import { FLEET_OPERATIONS, OPERATIONS } from "../../gateway/routes/index.ts";
import { SILENT, World } from "../support/world.ts";

const VERBS = new Set(
  `adjust authorize browse cancel check complete create delete expire extend find freeze get inspect link list pass pause place pull rate receive
  refresh register release repay request resend resume rotate set start stream submit top validate verify withdraw`.split(/\s+/),
);

/** Whether a name is a verb and what it is done to, in camelCase; what only operators may do begins with `admin`. */
function isVerbAndNoun(name: string): boolean {
  const words = name.match(/^[a-z]+|[A-Z][a-z]+/g) ?? [];
  const [verb = "", ...nouns] = words[0] === "admin" ? words.slice(1) : words;
  return words.join("") === name && VERBS.has(verb.toLowerCase()) && nouns.length > 0;
}

function operationIds(): string[] {
  const document: { paths: Record<string, Record<string, { operationId: string }>> } = JSON.parse(
    JSON.stringify(openApi(OPERATIONS, "1.2.3")),
  );
  return Object.values(document.paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId));
}

test("every operationId is a verb and a noun in camelCase, and none is there twice", () => {
  const ids = operationIds();
  expect(ids.filter((id) => !isVerbAndNoun(id))).toEqual([]);
  expect(ids.length).toBe(OPERATIONS.length);
  expect(new Set(ids).size).toBe(ids.length);
});

test.each(["eventStream", "admin_freeze", "register", "AdminFreezeAccount", "getGITHUB", "topup"])(
  "%s would not do as an operationId",
  (id) => expect(isVerbAndNoun(id)).toBe(false),
);

test("the function that serves an operation is called like it, so that stack traces say which it was", () => {
  const shared: { readonly [handler: string]: readonly string[] } = {
    freezeOrRelease: ["adminFreezeAccount", "adminReleaseAccount"],
    expireOrResend: ["adminExpireTask", "adminResendWebhook"],
    checkReadiness: ["checkHealth", "checkReadiness"],
  };
  for (const { id, handler } of [...OPERATIONS, ...FLEET_OPERATIONS])
    expect(shared[handler.name] ?? [handler.name]).toContain(id);
});

test("every middleware is a function with a name of its own", () => {
  const { clock } = new World();
  const settings = { trustedProxies: 0, corsOrigins: [] };
  const common = commonMiddleware({ settings, log: SILENT, clock, ids: { next: () => "1" } });
  expect([...common, allowedMethods()].map(({ name }) => name)).toEqual([
    "linger",
    "trace",
    "cors",
    "errors",
    "clientAddress",
    "checkPath",
    "allowedMethods",
  ]);
  const health = createHealthApp({ unavailable: async () => null }, SILENT);
  const starting = createStartingApp(() => "not yet", SILENT);
  expect([health, starting].map(({ middleware }) => middleware.map(({ name }) => name))).toEqual([
    ["errors", "answerHealth"],
    ["errors", "answerStarting"],
  ]);
});
