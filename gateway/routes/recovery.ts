/**
 * A new API key for who has lost the old one (guide: Authentication). Neither the answers nor their times tell whether an
 * address has an account: a request for a code is answered before it is looked at, and a code that fails is answered when the
 * clock next strikes after a fixed time, which no difference in work reaches.
 */
import { randomInt } from "node:crypto";
import { RECOVERY_MS } from "../../machines/account/decide.ts";
import type { AccountId } from "../../machines/vocabulary.ts";
import { spend } from "../http/middleware/limit.ts";
import { open } from "../http/operation.ts";
import { Problem, problemOf } from "../http/problems.ts";
import { Recover, RecoveryStarted, Rotated, VerifyRecover } from "../schemas/account.ts";
import { hashApiKey, makeApiKey, makeRecoveryCode } from "../secrets.ts";
import type { Services } from "../services.ts";

/** Longer than a commit takes, and how far the strokes of the clock are apart (ms). */
const FAILED_MS = 300;
const STROKE_MS = 100;
/** A code is made and sent within this (ms). */
const SENT_MS_MAX = 500;

const recover = open(
  {
    id: "requestRecovery",
    tag: "Auth",
    method: "post",
    path: "/api/v1/auth/recover",
    door: "recovery",
    summary: "Ask for a code that gives a new API key",
    description:
      "The code goes to the account's address, or to the platform's log where no mail is set up. A new code replaces the one before. The answer is the same whether there is an account or not.",
    body: Recover,
    answers: { 200: { about: "If there is an account, a code is on its way", schema: RecoveryStarted } },
  },
  async function requestRecovery({ body, services }) {
    const account = services.secrets.accountId(body.email);
    await spend(services.limiter, "recoveries", `account ${account}`);
    // Some time later, so that what is done for a known address delays neither this answer nor a certain one after it.
    services.clock.after(randomInt(SENT_MS_MAX), () => {
      sendCode(services, account, body.email).catch((error: unknown) =>
        services.log.error({ account, err: error }, "a recovery code could not be sent; this is a bug"),
      );
    });
    return { status: 200, body: { message: "Verification code generated", expires_in: RECOVERY_MS / 1_000 } };
  },
);

async function sendCode({ router, secrets, mailer, log }: Services, account: AccountId, to: string): Promise<void> {
  const code = makeRecoveryCode();
  const command = { type: "requestRecovery", codeHash: secrets.recoveryHash(account, code) };
  const answer = await router.ask({ kind: "account", id: account }, command);
  if (!answer.ok) {
    if (answer.refusal.refused !== "ACCOUNT_UNKNOWN") log.warn({ account, refused: answer.refusal.refused }, "no recovery code");
    return;
  }
  if (mailer === null) {
    log.warn({ account, recovery_code: code }, "a recovery code; it is in the log because no SMTP_URL is set");
    return;
  }
  const text = `Your code is ${code}. It is good for ${RECOVERY_MS / 60_000} minutes.\n\nIf you did not ask for it, do nothing: your API key stays as it is.\n`;
  await mailer
    .send({ to, subject: "Your NexusToken recovery code", text })
    .catch((error: unknown) => log.error({ account, err: error }, "a recovery code could not be mailed"));
}

const verify = open(
  {
    id: "verifyRecovery",
    tag: "Auth",
    method: "post",
    path: "/api/v1/auth/verify-recover",
    door: "code",
    summary: "Get a new API key for a code",
    description: "The old key is invalid from the answer on. A code may be tried five times.",
    body: VerifyRecover,
    answers: { 200: { about: "The new key, shown only here", schema: Rotated } },
  },
  async function verifyRecovery({ body, address, services }) {
    const { router, secrets, keys, limiter, guard, clock } = services;
    const started = clock.now();
    const stroke = Math.ceil((started + FAILED_MS) / STROKE_MS) * STROKE_MS;
    const failed = new Promise<void>((resolve) => clock.after(stroke - started, resolve));
    const account = secrets.accountId(body.email);
    const key = makeApiKey();
    const command = { type: "recover", codeHash: secrets.recoveryHash(account, body.code), keyHash: hashApiKey(key) };
    const answer = await router.ask({ kind: "account", id: account }, command);
    if (!answer.ok && answer.refusal.refused !== "RECOVERY_FAILED" && answer.refusal.refused !== "ACCOUNT_UNKNOWN") {
      await limiter.give("failures", address);
      throw problemOf(answer.refusal);
    }
    const replaced = answer.ok ? replacedBy(answer.value) : null;
    if (replaced === null) {
      await failed;
      throw new Problem(
        401,
        "RECOVERY_FAILED",
        "This code is wrong, used up or too old; ask for a new one with POST /api/v1/auth/recover.",
      );
    }
    await limiter.give("failures", address);
    await keys.drop(replaced);
    guard.vouch(address, command.keyHash);
    return { status: 200, body: { account_id: account, api_key: key } };
  },
);

function replacedBy(reply: unknown): string | null {
  if (typeof reply !== "object" || reply === null || !("replaced" in reply))
    throw new Error("a recovery must say what it replaced");
  return typeof reply.replaced === "string" ? reply.replaced : null;
}

export const recoveryRoutes = [recover, verify];
