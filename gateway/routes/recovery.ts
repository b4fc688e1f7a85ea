/**
 * A new API key for accounts that lost theirs (guide: Authentication). Neither answers nor their timing reveal whether an
 * address has an account: a request for a code is answered before it is processed, and a wrong code is answered at the next
 * multiple of STROKE_MS after a fixed time that is longer than any difference in work.
 */
import { randomInt } from "node:crypto";
import { RECOVERY_MS } from "../../machines/account/decide.ts";
import type { AccountId } from "../../machines/vocabulary.ts";
import { spend } from "../doors/limit.ts";
import { open } from "../http/operation.ts";
import { Problem, problemOf } from "../http/problems.ts";
import { Recover, RecoveryStarted, Rotated, VerifyRecover } from "../schemas/account.ts";
import { hashApiKey, makeApiKey, makeRecoveryCode } from "../secrets.ts";
import type { Services } from "../services.ts";

/** Longer than a commit takes, and the grid on which failures are answered (ms). */
const FAILED_MS = 300;
const STROKE_MS = 100;
/** Maximum random delay before a code is made (ms). */
const SENT_MS_MAX = 500;

const recover = open(
  {
    id: "requestRecovery",
    tag: "Auth",
    method: "post",
    path: "/api/v1/auth/recover",
    door: "recovery",
    summary: "Request a recovery code",
    description:
      "The code is mailed to the account's address, or written to the platform's log if no mail server is set up. A new code replaces the previous one. The answer is the same whether the account exists or not.",
    body: Recover,
    answers: { 200: { about: "If the account exists, a code is on its way", schema: RecoveryStarted } },
  },
  async function requestRecovery({ body, services }) {
    const account = services.secrets.accountId(body.email);
    await spend(services.limiter, "recoveries", `account ${account}`);
    // After a random delay, so that work for a known address delays neither this answer nor a predictable later one.
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
  const command = { type: "requestRecovery", codeHash: secrets.recoveryHash(account, code) } as const;
  const answer = await router.ask({ kind: "account", id: account }, command);
  if (!answer.ok) {
    if (answer.refusal.refused !== "ACCOUNT_UNKNOWN")
      log.warn({ account, refused: answer.refusal.refused }, "no recovery code was made");
    return;
  }
  if (mailer === null) {
    log.warn({ account, recovery_code: code }, "a recovery code; it is in the log because no SMTP_URL is set");
    return;
  }
  const text = `Your code is ${code}. It is valid for ${RECOVERY_MS / 60_000} minutes.\n\nIf you did not request it, you need not do anything: your API key stays valid.\n`;
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
    summary: "Exchange a recovery code for a new API key",
    description: "The old key is invalid once the answer is sent. A code may be tried five times.",
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
    const keyHash = hashApiKey(key);
    const command = { type: "recover", codeHash: secrets.recoveryHash(account, body.code), keyHash } as const;
    const answer = await router.ask({ kind: "account", id: account }, command);
    if (!answer.ok && answer.refusal.refused !== "RECOVERY_FAILED" && answer.refusal.refused !== "ACCOUNT_UNKNOWN") {
      await limiter.give("failures", address);
      throw problemOf(answer.refusal);
    }
    const replaced = answer.ok ? answer.value.replaced : null;
    if (replaced === null) {
      await failed;
      throw new Problem(
        401,
        "RECOVERY_FAILED",
        "This code is wrong, used or expired; request a new one with POST /api/v1/auth/recover.",
      );
    }
    await limiter.give("failures", address);
    await keys.drop(replaced);
    guard.vouch(address, keyHash);
    return { status: 200, body: { account_id: account, api_key: key } };
  },
);

export const recoveryRoutes = [recover, verify];
