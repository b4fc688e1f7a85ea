/** Every way to sign in to NATS, against servers that ask for it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { nkeys } from "nats";
import { generate, type SelfsignedOptions } from "selfsigned";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectNats, type NatsSettings } from "../../src/adapters/nats/connect.ts";
import { startPrivate } from "../support/servers.mjs";
import { SILENT } from "../support/world.ts";

type Keys = ReturnType<typeof nkeys.createUser>;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "nexus-nats-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  const full = path.join(folder, name);
  await writeFile(full, text);
  return full;
}

function settings(url: string, changes: Partial<NatsSettings> = {}): NatsSettings {
  const none = { user: null, password: null, nkeyFile: null, credsFile: null, tlsCa: null, tlsCert: null, tlsKey: null };
  return { named: "NATS", url, prefix: "test", ...none, ...changes };
}

/** Starts a server with these arguments for as long as `work` takes. */
async function withNats(args: readonly string[], work: (url: string) => Promise<void>): Promise<void> {
  const server = await startPrivate("nats", args);
  try {
    await work(server.url);
  } finally {
    await server.stop();
  }
}

async function signsIn(wanted: NatsSettings): Promise<void> {
  const { connection, up } = await connectNats(wanted, "test", SILENT);
  expect(up()).toBe(true);
  await connection.close();
}

const seed = (keys: Keys) => new TextDecoder().decode(keys.getSeed());

test("with user and password, in the URL or beside it; a wrong one is refused without being told to anybody", async () => {
  await withNats(["--user", "ada", "--pass", "s3cret"], async (url) => {
    await signsIn(settings(url.replace("//", "//ada:s3cret@")));
    await signsIn(settings(url, { user: "ada", password: "s3cret" }));
    const refused = connectNats(settings(url, { user: "ada", password: "wr0ng" }), "test", SILENT);
    await expect(refused).rejects.toThrow(/^NATS_URL \(127\.0\.0\.1:\d+\): it refuses this user/);
    await expect(refused).rejects.not.toThrow(/wr0ng/);
  });
});

test("with an nkey; another one is refused", async () => {
  const keys = nkeys.createUser();
  const config = await file("nkey.conf", `authorization { users: [{ nkey: ${keys.getPublicKey()} }] }`);
  await withNats(["-c", config], async (url) => {
    await signsIn(settings(url, { nkeyFile: await file("seed", `${seed(keys)}\n`) }));
    const other = connectNats(settings(url, { nkeyFile: await file("other", seed(nkeys.createUser())) }), "test", SILENT);
    await expect(other).rejects.toThrow(/it refuses this user/);
  });
  await withNats([], async (url) => {
    const nkeyFile = await file("rubbish", "not a seed");
    await expect(connectNats(settings(url, { nkeyFile }), "test", SILENT)).rejects.toThrow(
      /the seed in NATS_NKEY_FILE or NATS_CREDS_FILE is invalid/,
    );
  });
  await expect(connectNats(settings("nats://127.0.0.1:1", { nkeyFile: "/nowhere/seed" }), "test", SILENT)).rejects.toThrow(
    /^NATS_NKEY_FILE: the file \/nowhere\/seed cannot be read/,
  );
});

/** A token of NATS: claims of `subject`, signed by `issuer`. */
function token(issuer: Keys, subject: Keys, nats: object): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const iat = Math.floor(Date.now() / 1_000);
  const claims = { jti: `${iat}`, iat, iss: issuer.getPublicKey(), sub: subject.getPublicKey(), name: "test", nats };
  const signed = `${part({ typ: "JWT", alg: "ed25519-nkey" })}.${part(claims)}`;
  return `${signed}.${Buffer.from(issuer.sign(new TextEncoder().encode(signed))).toString("base64url")}`;
}

function credentials(user: Keys, jwt: string): string {
  return [
    "-----BEGIN NATS USER JWT-----",
    jwt,
    "------END NATS USER JWT------",
    "",
    "-----BEGIN USER NKEY SEED-----",
    seed(user),
    "------END USER NKEY SEED------",
    "",
  ].join("\n");
}

test("with credentials; those of an account that the server does not know are refused", async () => {
  const [operator, account, stranger, user] = [
    nkeys.createOperator(),
    nkeys.createAccount(),
    nkeys.createAccount(),
    nkeys.createUser(),
  ];
  const free = { subs: -1, data: -1, payload: -1 };
  const limits = { ...free, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
  const accountToken = token(operator, account, { limits, type: "account", version: 2 });
  const userToken = (by: Keys) => token(by, user, { pub: {}, sub: {}, ...free, type: "user", version: 2 });
  const config = await file(
    "creds.conf",
    `operator: ${token(operator, operator, { type: "operator", version: 2 })}
     resolver: MEMORY
     resolver_preload: { ${account.getPublicKey()}: ${accountToken} }`,
  );
  await withNats(["-c", config], async (url) => {
    await signsIn(settings(url, { credsFile: await file("user.creds", credentials(user, userToken(account))) }));
    const credsFile = await file("stranger.creds", credentials(user, userToken(stranger)));
    await expect(connectNats(settings(url, { credsFile }), "test", SILENT)).rejects.toThrow(/it refuses this user/);
    const rubbish = await file("rubbish.creds", "not credentials");
    await expect(connectNats(settings(url, { credsFile: rubbish }), "test", SILENT)).rejects.toThrow(
      /NATS_CREDS_FILE holds no credentials/,
    );
  });
});

describe("over TLS", () => {
  const WEEK_MS = 7 * 24 * 3_600_000;
  const name = (value: string) => [{ name: "commonName", value }];
  const common = { keyType: "ec", algorithm: "sha256", notAfterDate: new Date(Date.now() + WEEK_MS) } satisfies SelfsignedOptions;

  async function authority() {
    return generate(name("test authority"), {
      ...common,
      extensions: [
        { name: "basicConstraints", cA: true, critical: true },
        { name: "keyUsage", keyCertSign: true, critical: true },
      ],
    });
  }

  async function certificate(of: string, by: Awaited<ReturnType<typeof authority>>) {
    const { cert, private: key } = await generate(name(of), {
      ...common,
      ca: { key: by.private, cert: by.cert },
      extensions: [
        { name: "basicConstraints", cA: false },
        { name: "keyUsage", digitalSignature: true },
        { name: "extKeyUsage", serverAuth: true, clientAuth: true },
        { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] },
      ],
    });
    return { cert: await file(`${of}.crt`, cert), key: await file(`${of}.key`, key) };
  }

  test("with a certificate on either side; a server that cannot be trusted is not, and who has no certificate is refused", async () => {
    const mine = await authority();
    const [server, client, ca] = [
      await certificate("server", mine),
      await certificate("client", mine),
      await file("ca.crt", mine.cert),
    ];
    const other = await file("other.crt", (await authority()).cert);
    await withNats(["--tlsverify", "--tlscert", server.cert, "--tlskey", server.key, "--tlscacert", ca], async (url) => {
      const both = { tlsCa: ca, tlsCert: client.cert, tlsKey: client.key };
      await signsIn(settings(url.replace("nats:", "tls:"), both));
      await signsIn(settings(url, both));
      for (const wrong of [
        { ...both, tlsCa: other },
        { ...both, tlsCa: null },
      ]) {
        await expect(connectNats(settings(url, wrong), "test", SILENT)).rejects.toThrow(
          /^NATS_URL \(127\.0\.0\.1:\d+\): TLS failed; check the certificates, NATS_TLS_CA/,
        );
      }
      await expect(connectNats(settings(url, { tlsCa: ca }), "test", SILENT)).rejects.toThrow(
        /NATS_TLS_CERT .* if it asks for a certificate/,
      );
    });
  });

  test("a server that speaks none is not sent the secret in clear", async () => {
    await withNats([], async (url) => {
      await expect(connectNats(settings(url.replace("nats:", "tls:")), "test", SILENT)).rejects.toThrow(/TLS failed/);
    });
  });
});
