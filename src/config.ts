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

function databaseUrl(text: string): string {
  if (!/^postgres(ql)?:\/\/\S+$/.test(text)) throw new Error("a URL like postgres://user:password@host:5432/database");
  return text;
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

function settings(production: boolean) {
  return {
    port: {
      name: "PORT",
      fallback: 8000,
      unit: "TCP port",
      about: "Where HTTP is served; 0 takes a free one.",
      read: whole(0, 65_535),
    },
    host: { name: "HOST", fallback: "0.0.0.0", unit: "address", about: "The address that HTTP listens on.", read: String },
    databaseUrl: {
      name: "DATABASE_URL",
      fallback: null as string | null,
      unit: "URL",
      about: "A PostgreSQL >= 14 to use; left out, an embedded one is started under NEXUS_DATA_DIR.",
      secret: true,
      read: databaseUrl,
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

/** Gives every setting with the value in force; secrets are masked. */
export function settingsInForce(environment: Environment): readonly SettingInForce[] {
  const config: { readonly [key: string]: unknown } = readConfig(environment);
  const all: { readonly [key: string]: Setting<unknown> } = settings(environment["NODE_ENV"] === "production");
  return Object.entries(all).map(([key, { name, unit, about, secret }]) => {
    const value = config[key];
    const shown = value === null ? "" : String(value);
    return {
      name,
      value: secret === true && shown !== "" ? shown.replace(/\/\/.*@/, "//…@") : shown,
      unit,
      about,
      from: present(environment, name) === undefined ? "default" : "environment",
    };
  });
}
