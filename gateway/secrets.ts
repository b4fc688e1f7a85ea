/** Everything derived from the platform's secret: deterministic ids for idempotent requests, and secrets of accounts. */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, randomInt, timingSafeEqual } from "node:crypto";
import { type AccountId, accountId, isUuid, type Millis, type TaskId, taskId } from "../machines/vocabulary.ts";

const SEAL_NONCE_BYTES = 12;
const SEAL_TAG_BYTES = 16;

/** Where in the id of an account of the house the proof of that begins: after 58 bits that are free. */
const HOUSE_PROOF_AT = 19;

/** Marks a ticket among other things that are sealed. */
const TICKET = "ticket";
const TICKET_CHARACTERS_MAX = 512;

/** What a ticket says: for whom it was made, with which key, and when (ms). */
export interface Ticket {
  readonly account: AccountId;
  readonly keyHash: string;
  readonly at: Millis;
}

export const API_KEY = /^[0-9a-f]{64}$/;

/** Makes an API key: 32 random bytes in hex. */
export function makeApiKey(): string {
  return randomBytes(32).toString("hex");
}

/** Makes a recovery code: six digits. */
export function makeRecoveryCode(): string {
  return String(randomInt(1_000_000)).padStart(6, "0");
}

/** Compares in constant time. */
export function isSameSecret(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

/** The stored form of an API key: it has 256 random bits, so a plain hash is enough. */
export function hashApiKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

export class Secrets {
  readonly #secret: Buffer;

  constructor(secret: Buffer) {
    this.#secret = secret;
  }

  /** The id of an account is derived from its address, so that one address cannot have two accounts. */
  accountId(email: string): AccountId {
    return accountId(this.#uuid("account", email.toLowerCase()));
  }

  /** Identifies this platform among others; does not reveal the secret. */
  clusterId(): string {
    return this.#hmac("cluster").toString("hex").slice(0, 16);
  }

  taskId(account: AccountId, key: string): TaskId {
    return taskId(this.#uuid("task", account, key));
  }

  /** The command id of a request with an Idempotency-Key. */
  commandId(account: string, route: string, key: string): string {
    return this.#uuid("command", account, route, key);
  }

  /** The id of what that request creates. It depends on the body too, so another body under the same key gives another id. */
  outcomeId(account: string, route: string, key: string, body: string): string {
    return this.#uuid("outcome", account, route, key, body);
  }

  /** The mark of a mail address, GitHub account or Stripe customer; does not reveal it. */
  mark(kind: "mail" | "github" | "stripe", value: string): string {
    return `${kind}:${this.#hmac("mark", kind, value).toString("hex").slice(0, 32)}`;
  }

  /** Makes the state of an OAuth flow. It contains the account, so that the callback needs no key, and a MAC that proves that we made it. */
  oauthState(account: AccountId): string {
    const made = `${account}.${randomBytes(16).toString("base64url")}`;
    return `${made}.${this.#hmac("oauth-state", made).toString("base64url")}`;
  }

  /** The account of a state; undefined if we did not make it. */
  accountOfState(state: string): AccountId | undefined {
    const [account = "", nonce = "", mac = "", ...rest] = state.split(".");
    const wanted = this.#hmac("oauth-state", `${account}.${nonce}`);
    const given = Buffer.from(mac, "base64url");
    const same = given.length === wanted.length && timingSafeEqual(given, wanted);
    return same && rest.length === 0 && isUuid(account) ? accountId(account) : undefined;
  }

  /** The stored form of a state. */
  stateHash(state: string): string {
    return this.#hmac("oauth-state-hash", state).toString("hex");
  }

  /** The PKCE code verifier (RFC 7636 4.1). */
  pkceVerifier(state: string): string {
    return this.#hmac("pkce", state).toString("base64url");
  }

  /** The PKCE code challenge (RFC 7636 4.2). */
  pkceChallenge(state: string): string {
    return createHash("sha256").update(this.pkceVerifier(state)).digest("base64url");
  }

  /** Encrypts a secret that must be used again (AES-256-GCM). */
  seal(secret: string): string {
    const nonce = randomBytes(SEAL_NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#hmac("seal"), nonce);
    const sealed = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64url");
  }

  /** Decrypts what seal() gave; throws on anything else. */
  unseal(sealed: string): string {
    const bytes = Buffer.from(sealed, "base64url");
    const [nonce, rest] = [bytes.subarray(0, SEAL_NONCE_BYTES), bytes.subarray(SEAL_NONCE_BYTES)];
    const decipher = createDecipheriv("aes-256-gcm", this.#hmac("seal"), nonce);
    decipher.setAuthTag(rest.subarray(0, SEAL_TAG_BYTES));
    return Buffer.concat([decipher.update(rest.subarray(SEAL_TAG_BYTES)), decipher.final()]).toString("utf8");
  }

  /** Makes a ticket that stands for a key of an account (see doors/ticket.ts); nothing in it can be read or changed by others. */
  ticket({ account, keyHash, at }: Ticket): string {
    return this.seal(JSON.stringify([TICKET, account, keyHash, at]));
  }

  /** Reads a ticket; undefined if we did not make it. */
  readTicket(ticket: string): Ticket | undefined {
    if (ticket.length > TICKET_CHARACTERS_MAX) return undefined;
    try {
      const read: unknown = JSON.parse(this.unseal(ticket));
      if (!Array.isArray(read)) return undefined;
      const [what, account, keyHash, at]: unknown[] = read;
      const right = what === TICKET && typeof account === "string" && typeof keyHash === "string" && typeof at === "number";
      return right ? { account: accountId(account), keyHash, at } : undefined;
    } catch {
      return undefined;
    }
  }

  /** What only those know who have had a stream with this ticket: 20 digits. */
  ticketProof(ticket: string): string {
    return this.#hmac("ticket-proof", ticket).readBigUInt64BE().toString().padStart(20, "0");
  }

  /**
   * The id of the account of the house that posts the honeypot which a settled task sets off. One half of its bits says of the other
   * that it is of the house, which nobody sees who does not know the secret.
   */
  houseId(task: TaskId): AccountId {
    const first = uuidOf(this.#hmac("house", task)).slice(0, HOUSE_PROOF_AT);
    return accountId(first + this.#houseProof(first));
  }

  /** Whether an account is one of these. */
  isHouse(account: string): boolean {
    return account.slice(HOUSE_PROOF_AT) === this.#houseProof(account.slice(0, HOUSE_PROOF_AT));
  }

  /** Numbers below others, one after the other, that follow from the secret and these words, and that nobody else can foretell. */
  draws(...parts: readonly string[]): (below: number) => number {
    let count = 0;
    return (below) => {
      count += 1;
      return this.#hmac("draw", ...parts, String(count)).readUIntBE(0, 6) % below;
    };
  }

  /** The stored form of a recovery code. */
  recoveryHash(account: string, code: string): string {
    return this.#hmac("recovery", account, code).toString("hex");
  }

  /** The API key of a registration with an Idempotency-Key, so that a retry gets the same one. */
  repeatableApiKey(email: string, key: string): string {
    return this.#hmac("api-key", email.toLowerCase(), key).toString("hex");
  }

  /** An account's webhook secret in the format of the Standard Webhooks specification; it is not stored. */
  webhookSecret(account: string): string {
    return `whsec_${this.#hmac("webhook", account).toString("base64")}`;
  }

  #hmac(...parts: readonly string[]): Buffer {
    const hmac = createHmac("sha256", this.#secret);
    // Each part is prefixed with its length, so that different lists of parts never give the same text.
    for (const part of parts) hmac.update(`${Buffer.byteLength(part)}:${part};`);
    return hmac.digest();
  }

  #uuid(...parts: readonly string[]): string {
    return uuidOf(this.#hmac(...parts));
  }

  /** The rest of the id of a house that begins so. */
  #houseProof(first: string): string {
    return uuidOf(this.#hmac("house-proof", first)).slice(HOUSE_PROOF_AT);
  }
}

/** A UUID of version 8 (RFC 9562 5.8) of the first 16 of these bytes. */
function uuidOf(random: Buffer): string {
  const bytes = Buffer.from(random.subarray(0, 16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
