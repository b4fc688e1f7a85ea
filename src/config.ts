/** Every setting: its name in the environment, its default, its unit, a sentence. A wrong value stops the start. */

interface Setting<T> {
  readonly name: string;
  readonly fallback: T;
  readonly unit: string;
  readonly about: string;
  /** Shown masked. */
  readonly secret?: boolean;
  /** Reads the text of the environment; throws an Error that ends "… must be <what>". */
  readonly read: (text: string) => T;
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) throw new Error(`a whole number from ${least} to ${most}`);
    return value;
  };
}

function flag(text: string): boolean {
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off|)$/i.test(text)) return false;
  throw new Error("true or false");
}

function oneOf<T extends string>(...values: readonly T[]): (text: string) => T {
  return (text) => {
    const value = values.find((known) => known === text);
    if (value === undefined) throw new Error(`one of ${values.join(", ")}`);
    return value;
  };
}

function natsUrl(text: string): string {
  const good = text.split(",").every((url) => /^(nats|tls):\/\/\S+$/.test(url.trim()) && URL.canParse(url.trim()));
  if (!good) throw new Error("a URL like nats://host:4222 or tls://user:password@host:4222, several with commas between");
  return text;
}

function redisUrl(text: string): string {
  if (!/^rediss?:\/\/\S+$/.test(text) || !URL.canParse(text)) throw new Error("a URL like redis://:password@host:6379/0");
  return text;
}

function subject(text: string): string {
  if (!/^[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64}){0,3}$/.test(text))
    throw new Error("letters, digits, - and _, with dots between");
  return text;
}

function name(text: string): string {
  if (!/^[\x21-\x7e]{1,100}$/.test(text)) throw new Error("1 to 100 visible ASCII characters without blanks");
  return text;
}

function weight(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value < 0.01 || value > 100) throw new Error("a number from 0.01 to 100");
  return value;
}

function hops(text: string): number {
  if (/^(true|yes|on)$/i.test(text)) return 1;
  if (/^(false|no|off)$/i.test(text)) return 0;
  const value = Number(text);
  if (!/^\d$/.test(text)) throw new Error("the number of proxies in front, 0 to 9");
  return value;
}

/** A comma may also stand between the hosts of one URL. */
function databaseUrls(text: string): readonly string[] {
  const urls = text.split(/\s*,\s*(?=postgres(?:ql)?:\/\/)/);
  const good = urls.length <= DATABASES_MAX && new Set(urls).size === urls.length;
  if (!good || !urls.every((url) => /^postgres(ql)?:\/\/\S+$/.test(url)))
    throw new Error(
      `a URL like postgres://user:password@host:5432/database, or up to ${DATABASES_MAX} different ones with commas between`,
    );
  return urls;
}

function names(text: string): readonly string[] {
  const list = text.split(",").map((name) => name.trim());
  if (list.some((name) => !/^[a-z][a-z0-9_]{0,63}$/.test(name)))
    throw new Error("names like json_extraction, with commas between");
  return list;
}

const TASK_TYPES = [
  "json_extraction",
  "translation",
  "text_classification",
  "text_generation",
  "data_transformation",
  "analysis",
];

/** Each process has pools of connections to every one of them. */
const DATABASES_MAX = 64;

/** What only a cluster of several processes needs. */
const CLUSTER = {
  natsUrl: {
    name: "NATS_URL",
    fallback: null as string | null,
    unit: "URL",
    about: "The NATS that joins gateways and nodes; left out, one process does all.",
    secret: true,
    read: natsUrl,
  },
  natsPrefix: {
    name: "NATS_PREFIX",
    fallback: "nexus",
    unit: "subject",
    about: "What the subjects of this platform begin with; two platforms that share a NATS need two.",
    read: subject,
  },
  natsUser: { name: "NATS_USER", fallback: null as string | null, unit: "name", about: "The user at NATS.", read: String },
  natsPassword: {
    name: "NATS_PASSWORD",
    fallback: null as string | null,
    unit: "text",
    about: "The password at NATS.",
    secret: true,
    read: String,
  },
  natsNkeyFile: {
    name: "NATS_NKEY_FILE",
    fallback: null as string | null,
    unit: "file",
    about: "The seed of the nkey to sign in to NATS with.",
    read: String,
  },
  natsCredsFile: {
    name: "NATS_CREDS_FILE",
    fallback: null as string | null,
    unit: "file",
    about: "The credentials (JWT and seed) to sign in to NATS with.",
    read: String,
  },
  natsTlsCa: {
    name: "NATS_TLS_CA",
    fallback: null as string | null,
    unit: "file",
    about: "The certificate of the authority that signed NATS's own.",
    read: String,
  },
  natsTlsCert: {
    name: "NATS_TLS_CERT",
    fallback: null as string | null,
    unit: "file",
    about: "This process's certificate for NATS.",
    read: String,
  },
  natsTlsKey: {
    name: "NATS_TLS_KEY",
    fallback: null as string | null,
    unit: "file",
    about: "The key of that certificate.",
    read: String,
  },
  nodeName: {
    name: "NODE_NAME",
    fallback: null as string | null,
    unit: "name",
    about: "How `nexus cluster` and `nexus drain` call this node; left out, the machine's name and the process id.",
    read: name,
  },
  nodeWeight: {
    name: "NODE_WEIGHT",
    fallback: 1,
    unit: "number",
    about: "This node's share of the shards against the other nodes'.",
    read: weight,
  },
  leaseMs: {
    name: "LEASE_MS",
    fallback: 5_000,
    unit: "ms",
    about: "A node that is silent for so long is declared dead; the same for all nodes.",
    read: whole(500, 120_000),
  },
  shards: {
    name: "SHARDS",
    fallback: null as number | null,
    unit: "number",
    about: "Logical shards; fixed when the database is created (128 then, if left out).",
    read: whole(1, 4_096),
  },
  graceMs: {
    name: "SHUTDOWN_GRACE_MS",
    fallback: 0,
    unit: "ms",
    about: "How long a gateway that was told to stop still takes requests, so that the proxy in front sees it is not ready.",
    read: whole(0, 60_000),
  },
};

/** How much one client may ask; a limit of 0 is none. */
const RATES = {
  redisUrl: {
    name: "REDIS_URL",
    fallback: null as string | null,
    unit: "URL",
    about: "The Redis in which all gateways count requests; left out, each counts for itself.",
    secret: true,
    read: redisUrl,
  },
  ratePerSecond: {
    name: "RATE_LIMIT_PER_SECOND",
    fallback: 10,
    unit: "requests/s",
    about: "Requests of one API key; 0 switches the limit off.",
    read: whole(0, 1_000_000),
  },
  rateTasksPerMinute: {
    name: "RATE_LIMIT_TASKS_PER_MINUTE",
    fallback: 60,
    unit: "tasks/min",
    about: "Tasks that one API key may create; 0 switches the limit off.",
    read: whole(0, 1_000_000),
  },
  rateAuthFailuresPerMinute: {
    name: "RATE_LIMIT_AUTH_FAILURES_PER_MINUTE",
    fallback: 5,
    unit: "failures/min",
    about: "Wrong API keys from one IP address; 0 switches the limit off.",
    read: whole(0, 1_000_000),
  },
  trustProxy: {
    name: "TRUST_PROXY",
    fallback: 0,
    unit: "proxies",
    about: "How many proxies stand in front; the client's address is what the outermost of them put into X-Forwarded-For.",
    read: hops,
  },
};

const SERVER = {
  port: {
    name: "PORT",
    fallback: 8000,
    unit: "TCP port",
    about: "Where HTTP is served; 0 takes a free one.",
    read: whole(0, 65_535),
  },
  host: { name: "HOST", fallback: "0.0.0.0", unit: "address", about: "The address that HTTP listens on.", read: String },
  databaseUrls: {
    name: "DATABASE_URL",
    fallback: null as readonly string[] | null,
    unit: "URLs",
    about:
      "A PostgreSQL >= 14 to use, or several, over which the shards are spread; left out, an embedded one is started under NEXUS_DATA_DIR.",
    secret: true,
    read: databaseUrls,
  },
  databaseConnections: {
    name: "DATABASE_CONNECTIONS",
    fallback: 8,
    unit: "connections",
    about: "Connections for reading that a process opens to each database; one with actors opens 5 more.",
    read: whole(2, 1_000),
  },
  dataDir: {
    name: "NEXUS_DATA_DIR",
    fallback: ".nexus",
    unit: "folder",
    about: "Where the embedded PostgreSQL keeps its data.",
    read: String,
  },
  environment: {
    name: "NODE_ENV",
    fallback: "development",
    unit: "word",
    about: "production switches off what is only for trying out.",
    read: String,
  },
  logLevel: {
    name: "LOG_LEVEL",
    fallback: "info",
    unit: "word",
    about: "The least important lines that are logged.",
    read: oneOf("trace", "debug", "info", "warn", "error", "fatal", "silent"),
  },
};

function settings(production: boolean) {
  return {
    ...SERVER,
    routingWindowMs: {
      name: "ROUTING_WINDOW_MS",
      fallback: 3_000,
      unit: "ms",
      about: "How long a task collects bids; it ends sooner when every worker online for its type has answered.",
      read: whole(0, 600_000),
    },
    signupGrant: {
      name: "SIGNUP_GRANT",
      fallback: 50,
      unit: "NC",
      about: "Credits that a new account is given.",
      read: whole(0, 1_000_000),
    },
    taskTypes: {
      name: "TASK_TYPES",
      fallback: TASK_TYPES as readonly string[],
      unit: "names",
      about: "The task types that may be posted; the first is the default.",
      read: names,
    },
    allowPrivateCallbacks: {
      name: "ALLOW_PRIVATE_CALLBACKS",
      fallback: false,
      unit: "true or false",
      about: "Whether webhooks may go to addresses that are not public.",
      read: flag,
    },
    allowSimulatedTopup: {
      name: "ALLOW_SIMULATED_TOPUP",
      fallback: !production,
      unit: "true or false",
      about: "Whether POST /credits/topup gives credits for nothing; on unless NODE_ENV is production.",
      read: flag,
    },
    requestTimeoutMs: {
      name: "REQUEST_TIMEOUT_MS",
      fallback: 10_000,
      unit: "ms",
      about: "How long a request waits for its actor before it is answered with 503.",
      read: whole(100, 120_000),
    },
    ...CLUSTER,
    ...RATES,
  } satisfies { readonly [key: string]: Setting<unknown> };
}

type Settings = ReturnType<typeof settings>;
export type Config = { readonly [K in keyof Settings]: Settings[K]["fallback"] };

export interface SettingInForce {
  readonly name: string;
  readonly value: string;
  readonly unit: string;
  readonly about: string;
  readonly from: "environment" | "default";
}

type Environment = { readonly [name: string]: string | undefined };

function present(environment: Environment, name: string): string | undefined {
  const text = environment[name]?.trim();
  return text === "" ? undefined : text;
}

/** Reads the settings. Throws an Error that names every wrong one and says what it must be. */
export function readConfig(environment: Environment): Config {
  const all: { readonly [key: string]: Setting<unknown> } = settings(environment["NODE_ENV"] === "production");
  const wrong: string[] = [];
  const read = Object.entries(all).map(([key, setting]) => {
    const text = present(environment, setting.name);
    if (text === undefined) return [key, setting.fallback];
    try {
      return [key, setting.read(text)];
    } catch (error) {
      const shown = setting.secret === true ? "" : ` ("${text.slice(0, 80)}")`;
      wrong.push(`${setting.name}${shown} must be ${error instanceof Error ? error.message : "something else"}.`);
      return [key, setting.fallback];
    }
  });
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  // Built key by key from `settings`, so it has the type that settings gives.
  return Object.fromEntries(read) as Config;
}

/** A URL without what is before the @; anything else that is secret, not at all. */
function masked(value: string): string {
  if (value === "") return value;
  return value.includes("://") ? value.replaceAll(/\/\/[^@,]*@/g, "//…@") : "…";
}

/** Gives every setting with the value in force; secrets are masked. */
export function settingsInForce(environment: Environment): readonly SettingInForce[] {
  const config: { readonly [key: string]: unknown } = readConfig(environment);
  const all: { readonly [key: string]: Setting<unknown> } = settings(environment["NODE_ENV"] === "production");
  return Object.entries(all).map(([key, { name, unit, about, secret }]) => {
    const value = config[key];
    const shown = value === null ? "" : String(value);
    return {
      name,
      value: secret === true ? masked(shown) : shown,
      unit,
      about,
      from: present(environment, name) === undefined ? "default" : "environment",
    };
  });
}
