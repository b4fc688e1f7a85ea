import { credits } from "../../machines/vocabulary.ts";
import { keyed, open } from "../http/operation.ts";
import { Problem, problemOf } from "../http/problems.ts";
import { Register, Registered, Rotated } from "../schemas/account.ts";
import { hashApiKey, makeApiKey } from "../secrets.ts";
import { matchIdentity, normalAddress } from "./identity-match.ts";
import { recoveryRoutes } from "./recovery.ts";

/** A registration is not protected by an API key, so its Idempotency-Key must be impossible to guess. */
const UNGUESSABLE = /^([0-9a-f]{32,}|[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})$/i;

const register = open(
  {
    id: "registerAccount",
    tag: "Auth",
    method: "post",
    path: "/api/v1/auth/register",
    door: "registration",
    summary: "Register an account",
    description:
      "New accounts are given some credits. The API key is shown only here. With an Idempotency-Key (a random UUID, or 32 or more random hex digits) a lost answer can be requested again, until the key is rotated.",
    body: Register,
    idempotent: true,
    answers: { 201: { about: "The account, its API key and its webhook secret", schema: Registered } },
  },
  async function registerAccount({ body, idempotencyKey, address, services }) {
    const { router, secrets, settings, reads, guard } = services;
    if (idempotencyKey !== null && !UNGUESSABLE.test(idempotencyKey)) {
      const message = "must be a random UUID or 32 or more random hex digits here, because whoever knows it can get the API key";
      throw new Problem(422, "VALIDATION_ERROR", `Idempotency-Key: ${message}.`, {
        errors: [{ field: "Idempotency-Key", message }],
      });
    }
    const account = secrets.accountId(body.email);
    const key = idempotencyKey === null ? makeApiKey() : secrets.repeatableApiKey(body.email, idempotencyKey);
    const keyHash = hashApiKey(key);
    const source = body.source ?? null;
    const grant = credits(settings.signupGrant);
    const { marks } = await matchIdentity(services, secrets.mark("mail", normalAddress(body.email)), account);
    const command = { type: "register", account, email: body.email, source, keyHash, grant, marks } as const;
    const answer = await router.ask({ kind: "account", id: account }, command);
    if (!answer.ok) {
      const repeated = idempotencyKey !== null && answer.refusal.refused === "ACCOUNT_EXISTS";
      if (!repeated || (await reads.account(account))?.keyHash !== keyHash) throw problemOf(answer.refusal);
    }
    guard.vouch(address, keyHash);
    return { status: 201, body: { account_id: account, api_key: key, webhook_secret: secrets.webhookSecret(account) } };
  },
);

const rotate = keyed(
  {
    id: "rotateApiKey",
    suspended: "allowed",
    tag: "Auth",
    method: "post",
    path: "/api/v1/auth/rotate-key",
    summary: "Replace the API key",
    description: "The key of this request is invalid once the answer is sent.",
    answers: { 200: { about: "The new key, shown only here", schema: Rotated } },
  },
  async function rotateApiKey({ account, keyHash: presented, address, services }) {
    const key = makeApiKey();
    const keyHash = hashApiKey(key);
    const command = { type: "rotateKey", presented, keyHash } as const;
    const answer = await services.router.ask({ kind: "account", id: account }, command);
    // Dropped in any case: if the outcome is unknown, the next request looks the key up.
    await services.keys.drop(presented);
    if (!answer.ok) throw problemOf(answer.refusal);
    services.guard.vouch(address, keyHash);
    return { status: 200, body: { account_id: account, api_key: key } };
  },
);

export const authRoutes = [register, rotate, ...recoveryRoutes];
