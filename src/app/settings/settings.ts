/** Every setting: its name in the environment, its default, its unit, a sentence. */
import { RATES } from "./limits.ts";
import { GITHUB, MAIL, PAYMENTS } from "./services.ts";
import { adminToken, databaseUrls, flag, name, names, natsUrl, oneOf, origins, share, subject, weight, whole } from "./values.ts";

export interface Setting<T> {
  readonly name: string;
  readonly fallback: T;
  readonly unit: string;
  readonly about: string;
  /** Shown masked. */
  readonly secret?: boolean;
  /** Reads the text of the environment; throws an Error that ends "… must be <what>". */
  readonly read: (text: string) => T;
}

const TASK_TYPES = [
  "json_extraction",
  "translation",
  "text_classification",
  "text_generation",
  "data_transformation",
  "analysis",
];

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

const SERVER = {
  corsOrigins: {
    name: "CORS_ORIGINS",
    fallback: [] as readonly string[],
    unit: "origins",
    about: "Web pages that browsers may call the API from, as in https://app.example.com, with commas between; * for all.",
    read: origins,
  },
  port: {
    name: "PORT",
    fallback: 8000,
    unit: "TCP port",
    about: "Where HTTP is served; 0 takes a free one, as does a node that is told none.",
    read: whole(0, 65_535),
  },
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
  adminToken: {
    name: "ADMIN_TOKEN",
    fallback: null as string | null,
    unit: "text",
    about: "What operators send in X-Admin-Token to use /api/v1/admin; left out, that is off.",
    secret: true,
    read: adminToken,
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

/** All of them; some defaults differ in production. */
export function settings(production: boolean) {
  return {
    ...SERVER,
    host: {
      name: "HOST",
      fallback: production ? "0.0.0.0" : "127.0.0.1",
      unit: "address",
      about: "The address that HTTP listens on; by default this machine alone, with NODE_ENV=production all addresses.",
      read: String,
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
    honeypotRate: {
      name: "HONEYPOT_RATE",
      fallback: 0.01,
      unit: "share",
      about: "How many tasks are followed by one whose answer operators know, of the same type, if there is one.",
      read: share,
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
    ...MAIL,
    ...PAYMENTS,
    ...GITHUB,
  } satisfies { readonly [key: string]: Setting<unknown> };
}
