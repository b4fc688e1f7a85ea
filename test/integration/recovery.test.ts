/** Lost API keys (guide: Authentication): the code by mail or in the log, its five tries, its five minutes. */
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, Market, type Party } from "../support/market.ts";

interface Mail {
  readonly to: string;
  readonly text: string;
}

let market: Market;
let server: SMTPServer;
const mails: Mail[] = [];

beforeAll(async () => {
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const to = session.envelope.rcptTo.map(({ address }) => address).join();
        mails.push({ to, text: Buffer.concat(chunks).toString() });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  market = await Market.start({
    SMTP_URL: `smtp://127.0.0.1:${port}`,
    MAIL_FROM: "Market <market@test.example>",
    RATE_LIMIT_RECOVERIES_PER_HOUR: "3",
    TRUST_PROXY: "1",
  });
});
afterAll(async () => {
  await market.stop();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

/** Every caller comes from an address of its own. */
let callers = 0;
function from(): { headers: Record<string, string> } {
  callers += 1;
  return { headers: { "X-Forwarded-For": `192.0.2.${callers}` } };
}

const ask = (email: string, options = from()) => market.call("POST", "/auth/recover", { email }, options);
const verify = (email: string, code: string) => market.call("POST", "/auth/verify-recover", { email, code }, from());

/** Asks for a code, and gives the one that was mailed. */
async function codeFor({ email }: Party): Promise<string> {
  const before = mails.length;
  expect((await ask(email)).status).toBe(200);
  const mail = await eventually(async () => mails.slice(before).find(({ to }) => to === email), `a mail to ${email}`);
  const [, code = ""] = /Your code is (\d{6})\./.exec(mail.text) ?? [];
  expect(mail.text).toMatch(/^From: Market <market@test\.example>/m);
  return code;
}

const other = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, "0");

test("the code that was mailed gives a new key, once, and the old key is invalid at once", async () => {
  const party = await market.register();
  const code = await codeFor(party);
  const { status, body } = await verify(party.email, code);
  expect([status, body.account_id]).toEqual([200, party.id]);
  expect(body.api_key).toMatch(/^[0-9a-f]{64}$/);
  expect((await market.call("GET", "/credits/balance", undefined, party)).status).toBe(401);
  expect((await market.call("GET", "/credits/balance", undefined, { key: body.api_key })).status).toBe(200);
  expect((await verify(party.email, code)).status).toBe(401);
});

test("who has no account is answered the same, and is sent nothing", async () => {
  const party = await market.register();
  const [known, unknown] = [await ask(party.email), await ask("nobody@test.example")];
  expect([unknown.status, unknown.body]).toEqual([known.status, known.body]);
  expect(known.body).toEqual({ message: "Verification code generated", expires_in: 300 });
  const [wrong, nobody] = [await verify(party.email, "123456"), await verify("nobody@test.example", "123456")];
  expect([nobody.status, nobody.body]).toEqual([wrong.status, wrong.body]);
  expect([wrong.status, wrong.body.code]).toEqual([401, "RECOVERY_FAILED"]);
  expect(mails.some(({ to }) => to === "nobody@test.example")).toBe(false);
});

test("after five wrong tries the right code is good no more; a new code replaces the one before", async () => {
  const party = await market.register();
  const first = await codeFor(party);
  for (let tries = 0; tries < 5; tries += 1) expect((await verify(party.email, other(first))).status).toBe(401);
  expect((await verify(party.email, first)).status).toBe(401);
  const [second, third] = [await codeFor(party), await codeFor(party)];
  if (second !== third) expect((await verify(party.email, second)).status).toBe(401);
  expect((await verify(party.email, third)).status).toBe(200);
});

test("a fourth code in an hour is refused, for an account or from an address, known or not", async () => {
  for (const email of [(await market.register()).email, "nobody-else@test.example"]) {
    const statuses = [];
    for (let n = 0; n < 4; n += 1) statuses.push((await ask(email)).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
  }
  const address = from();
  const replies = [];
  for (let n = 0; n < 4; n += 1) replies.push(await ask(`n${n}@test.example`, address));
  expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
  expect(replies[3]?.body.detail).toMatch(/^More than 3 recovery codes .* in an hour; try again in \d+ s\.$/);
  expect(Number(replies[3]?.headers["retry-after"])).toBeGreaterThan(3_000);
});

test("neither code nor keys are in the journal, the code is not in the log when there is mail", async () => {
  const party = await market.register();
  const code = await codeFor(party);
  await verify(party.email, code);
  const rows = await market.database<{ body: object }[]>`select body from journal where entity = ${party.id}`;
  const written = JSON.stringify(rows.map(({ body }) => body));
  expect(rows.length).toBe(4);
  expect(written).not.toContain(`"${code}"`);
  expect(written).not.toContain(party.key);
  expect(market.log()).not.toContain(`"${code}"`);
});

describe("without a mail server", () => {
  test("the code is in the log; a mail server that is away costs nobody anything", async () => {
    const bare = await Market.start();
    const party = await bare.register();
    await bare.ok("POST", "/auth/recover", { email: party.email });
    const code = await eventually(async () => /"recovery_code":"(\d{6})"/.exec(bare.log())?.[1], "the code in the log");
    expect(await bare.ok("POST", "/auth/verify-recover", { email: party.email, code })).toMatchObject({ account_id: party.id });
    await bare.stop();
    const away = await Market.start({ SMTP_URL: "smtp://127.0.0.1:1" });
    const lost = await away.register();
    await away.ok("POST", "/auth/recover", { email: lost.email });
    await eventually(async () => (/could not be mailed/.test(away.log()) ? true : undefined), "the log to say so");
    expect((await away.balance(lost)).credits_balance).toBe(50);
    await away.stop();
  });
});
