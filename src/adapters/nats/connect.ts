/** A connection to NATS that reconnects forever, or a clear sentence why there is none. */
import { readFileSync } from "node:fs";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { type ConnectionOptions, connect, credsAuthenticator, ErrorCode, type NatsConnection, nkeyAuthenticator } from "nats";
import type { Log } from "../../../actors/ports/log.ts";

export interface NatsLink {
  readonly connection: NatsConnection;
  /** Whether it is connected now. */
  up(): boolean;
}

export interface NatsSettings {
  /** How the settings are called: `NATS` for NATS_URL, NATS_USER and so on. */
  readonly named: "NATS" | "FLEET_NATS";
  /** Prefix of all subjects. */
  readonly prefix: string;
  /** nats://host:4222 or tls://…; several separated by commas. May contain user and password. */
  readonly url: string;
  readonly user: string | null;
  readonly password: string | null;
  /** A file with the seed of an NKey. */
  readonly nkeyFile: string | null;
  /** A file with credentials (a JWT and a seed). */
  readonly credsFile: string | null;
  readonly tlsCa: string | null;
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
}

const CONNECT_MS = 5_000;
const PING_MS = 5_000;
const RECONNECT_MS = 250;
const HELLO_MS = 2_000;
/** Twice the largest request body plus its envelope: no valid command is longer (bytes). */
const PAYLOAD_MIN = 524_288;

/** What is told of a connection that goes and comes back. */
export interface Told {
  readonly down: string;
  readonly back: string;
}

const BUS_TOLD: Told = { down: "NATS is down; requests to other nodes wait until it is back", back: "NATS is back" };

/**
 * Connects under a name that operators see, and checks that requests under `prefix` are delivered. Throws an Error with a
 * sentence for the operator.
 */
export async function connectNats(settings: NatsSettings, name: string, log: Log): Promise<NatsLink> {
  const check = (connection: NatsConnection) => sayHello(connection, settings);
  return openLink(settings, { name }, BUS_TOLD, log, check);
}

/**
 * Connects, and passes the connection to `check` before anything is told of it; if that throws, it is closed again. Throws an
 * Error with a sentence for the operator.
 */
export async function openLink(
  settings: NatsSettings,
  more: Pick<ConnectionOptions, "name" | "inboxPrefix">,
  told: Told,
  log: Log,
  check: (connection: NatsConnection) => Promise<void>,
): Promise<NatsLink> {
  const shown = shownUrl(settings);
  const connection = await connect({
    ...optionsOf(settings),
    ...more,
    timeout: CONNECT_MS,
    pingInterval: PING_MS,
    maxPingOut: 2,
    // Otherwise each request makes two errors, in case it fails, to tell where it was made: some percent of what a request costs.
    noAsyncTraces: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    reconnectJitter: RECONNECT_MS,
    // A restarting server may refuse valid credentials for a moment.
    ignoreAuthErrorAbort: true,
  }).catch((error: unknown) => {
    throw new Error(`${shown}: ${whyNot(error, settings.named)}`, { cause: error });
  });
  try {
    const payload = connection.info?.max_payload ?? 0;
    if (payload < PAYLOAD_MIN) {
      throw new Error(`${shown}: its max_payload is ${payload} bytes; set it to ${PAYLOAD_MIN} or more.`);
    }
    await check(connection);
  } catch (error) {
    await connection.close();
    throw error;
  }
  let up = true;
  void watch(connection, told, log, (now) => {
    up = now;
  });
  return { connection, up: () => up && !connection.isClosed() };
}

function urlsOf({ url }: NatsSettings): readonly URL[] {
  return url.split(",").map((text) => new URL(text.trim()));
}

function serversOf(settings: NatsSettings): readonly string[] {
  return urlsOf(settings).map(({ hostname, port }) => `${hostname}:${port === "" ? "4222" : port}`);
}

/** The setting and its servers, without secrets, as errors begin. */
export function shownUrl(settings: NatsSettings): string {
  return `${settings.named}_URL (${serversOf(settings).join(", ")})`;
}

function optionsOf(settings: NatsSettings): ConnectionOptions {
  const urls = urlsOf(settings);
  const [first] = urls;
  const { named } = settings;
  const user = settings.user ?? (first?.username ? decodeURIComponent(first.username) : undefined);
  const pass = settings.password ?? (first?.password ? decodeURIComponent(first.password) : undefined);
  const secure = urls.some(({ protocol }) => protocol === "tls:") || settings.tlsCa !== null || settings.tlsCert !== null;
  const tls = {
    // The library would check an IP address against "localhost"; we check the host of the settings.
    checkServerIdentity: (host: string, certificate: PeerCertificate) => {
      const named = urls.some(({ hostname }) => checkServerIdentity(hostname, certificate) === undefined);
      return named ? undefined : checkServerIdentity(host, certificate);
    },
    ...(settings.tlsCa === null ? {} : { ca: text(`${named}_TLS_CA`, settings.tlsCa) }),
    ...(settings.tlsCert === null ? {} : { cert: text(`${named}_TLS_CERT`, settings.tlsCert) }),
    ...(settings.tlsKey === null ? {} : { key: text(`${named}_TLS_KEY`, settings.tlsKey) }),
  };
  const authenticator =
    settings.nkeyFile !== null
      ? nkeyAuthenticator(bytes(text(`${named}_NKEY_FILE`, settings.nkeyFile).trim()))
      : settings.credsFile !== null
        ? credsAuthenticator(bytes(text(`${named}_CREDS_FILE`, settings.credsFile)))
        : undefined;
  return {
    servers: [...serversOf(settings)],
    ...(user === undefined ? {} : { user }),
    ...(pass === undefined ? {} : { pass }),
    ...(authenticator === undefined ? {} : { authenticator }),
    ...(secure ? { tls } : {}),
  };
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function text(setting: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`${setting}: the file ${file} cannot be read (${error instanceof Error ? error.message : "?"}).`);
  }
}

/** Node's error codes for a refused certificate or handshake. */
const TLS_ERROR = /^(ERR_TLS|ERR_SSL|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|CERT_)/;

function whyNot(error: unknown, named: NatsSettings["named"]): string {
  const tlsFails = `TLS failed; check the certificates, ${named}_TLS_CA, and whether the server uses TLS.`;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (TLS_ERROR.test(code)) return tlsFails;
  if (code.startsWith("nkeys:"))
    return `the seed in ${named}_NKEY_FILE or ${named}_CREDS_FILE is invalid; a user's seed begins with SU.`;
  switch (code) {
    case ErrorCode.AuthorizationViolation:
    case ErrorCode.BadAuthentication:
    case ErrorCode.AuthenticationTimeout:
      return `it refuses this user; check ${named}_USER and ${named}_PASSWORD, ${named}_NKEY_FILE or ${named}_CREDS_FILE.`;
    case ErrorCode.ConnectionRefused:
      return "nobody answers there; start nats-server, or correct the address.";
    case ErrorCode.ConnectionTimeout:
    case ErrorCode.Timeout:
      return `no answer in time; correct the address, or set ${named}_TLS_CERT and ${named}_TLS_KEY if it asks for a certificate.`;
    case ErrorCode.Tls:
    case ErrorCode.ServerOptionNotAvailable:
      return tlsFails;
    case ErrorCode.BadCreds:
      return `${named}_CREDS_FILE holds no credentials; make the file with \`nsc generate creds\`.`;
    default:
      return `it cannot be used (${error instanceof Error ? error.message : String(error)}).`;
  }
}

/** Sends a request to itself, so that missing permissions show now and not with the first client. */
async function sayHello(connection: NatsConnection, settings: NatsSettings): Promise<void> {
  const { prefix } = settings;
  const subject = `${prefix}.hello.${connection.info?.client_id ?? 0}`;
  const subscription = connection.subscribe(subject, { callback: (_, message) => void message.respond() });
  try {
    await connection.request(subject, "", { timeout: HELLO_MS });
  } catch {
    throw new Error(
      `${shownUrl(settings)}: this user may not publish and subscribe to ${prefix}.> and _INBOX.>; give it these permissions.`,
    );
  } finally {
    subscription.unsubscribe();
  }
}

async function watch(connection: NatsConnection, told: Told, log: Log, turned: (up: boolean) => void): Promise<void> {
  for await (const { type, data } of connection.status()) {
    if (type === "disconnect" || type === "reconnect") turned(type === "reconnect");
    if (type === "disconnect") log.warn({}, told.down);
    if (type === "reconnect") log.info({}, told.back);
    if (type === "error") log.warn({ nats: String(data) }, "NATS reported an error");
  }
}
