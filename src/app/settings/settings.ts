/** Every setting: its name in the environment, its default, its unit, a sentence. */
import { MATCHING } from "../../../actors/matching/vocabulary.ts";
import { AWARDS_BY_TIER } from "../../../machines/market/awards.ts";
import { CREDIT_REQUIRES, type CreditRequires, PURCHASE_HOLD_MS_MAX } from "../../../machines/market/credit-line.ts";
import { FLEET } from "./fleet.ts";
import { honeypots } from "./honeypots.ts";
import { RATES } from "./limits.ts";
import { GITHUB, MAIL, PAYMENTS } from "./services.ts";
import {
  adminToken,
  awardsByTier,
  databaseUrls,
  flag,
  loopbackSocket,
  name,
  names,
  natsUrl,
  notInProduction,
  oneOf,
  origins,
  subject,
  webUrl,
  weight,
  whole,
} from "./values.ts";

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

/** Settings that belong together, under a title. */
export interface SettingGroup {
  readonly title: string;
  readonly settings: { readonly [key: string]: Setting<unknown> };
}

const TASK_TYPES = [
  "json_extraction",
  "translation",
  "text_classification",
  "text_generation",
  "data_transformation",
  "analysis",
];

/** One process: HTTP, time limits, the log. */
function server(production: boolean) {
  return {
    port: {
      name: "PORT",
      fallback: 8000,
      unit: "TCP port",
      about: "HTTP port; 0 takes a free one, and so does a node without this setting.",
      read: whole(0, 65_535),
    },
    host: {
      name: "HOST",
      fallback: production ? "0.0.0.0" : "127.0.0.1",
      unit: "address",
      about: "Address that HTTP listens on: this machine alone, or all addresses in production.",
      read: String,
    },
    publicUrl: {
      name: "PUBLIC_URL",
      fallback: null as string | null,
      unit: "URL",
      about: "Address at which clients reach this platform; the default is http://localhost and the port.",
      read: webUrl,
    },
    corsOrigins: {
      name: "CORS_ORIGINS",
      fallback: [] as readonly string[],
      unit: "origins",
      about:
        "Origins whose web pages may call the API from a browser, such as https://app.example.com, separated by commas; * for all.",
      read: origins,
    },
    requestTimeoutMs: {
      name: "REQUEST_TIMEOUT_MS",
      fallback: 10_000,
      unit: "ms",
      about: "A request that takes longer is answered with 503.",
      read: whole(100, 120_000),
    },
    adminToken: {
      name: "ADMIN_TOKEN",
      fallback: null as string | null,
      unit: "text",
      about: "Secret that operators send in X-Admin-Token; without it, /api/v1/admin is off.",
      secret: true,
      read: adminToken,
    },
    environment: {
      name: "NODE_ENV",
      fallback: "development",
      unit: "word",
      about: "`production` listens on all addresses and turns simulated payments off.",
      read: String,
    },
    logLevel: {
      name: "LOG_LEVEL",
      fallback: "info",
      unit: "word",
      about: "Lowest level that is logged. Lines are for people on a terminal, JSON elsewhere.",
      read: oneOf("trace", "debug", "info", "warn", "error", "fatal", "silent"),
    },
    inspectorUrl: {
      name: "INSPECTOR_URL",
      fallback: null as string | null,
      unit: "URL",
      about: "For development only: shows all that actors do in Stately's inspector, whose relay `npm run inspector` starts.",
      read: production ? notInProduction : loopbackSocket,
    },
  };
}

const DATABASE = {
  databaseUrls: {
    name: "DATABASE_URL",
    fallback: null as readonly string[] | null,
    unit: "URLs",
    about:
      "PostgreSQL >= 14 in UTF8, or several databases over which the shards are spread; without it, an embedded PostgreSQL is started.",
    secret: true,
    read: databaseUrls,
  },
  databaseConnections: {
    name: "DATABASE_CONNECTIONS",
    fallback: 8,
    unit: "connections",
    about: "Connections for reading, per process and database; a process that runs actors opens 6 more.",
    read: whole(2, 1_000),
  },
  dataDir: {
    name: "NEXUS_DATA_DIR",
    fallback: ".nexus",
    unit: "folder",
    about: "Where the embedded PostgreSQL keeps its data.",
    read: String,
  },
};

/** Only a cluster of several processes needs these. */
const CLUSTER = {
  natsUrl: {
    name: "NATS_URL",
    fallback: null as string | null,
    unit: "URL",
    about: "The NATS server that connects gateways and nodes; without it, one process does everything.",
    secret: true,
    read: natsUrl,
  },
  natsPrefix: {
    name: "NATS_PREFIX",
    fallback: "nexus",
    unit: "subject",
    about: "Prefix of all subjects; platforms that share a NATS server need different ones.",
    read: subject,
  },
  natsUser: { name: "NATS_USER", fallback: null as string | null, unit: "name", about: "User name for NATS.", read: String },
  natsPassword: {
    name: "NATS_PASSWORD",
    fallback: null as string | null,
    unit: "text",
    about: "Password for NATS.",
    secret: true,
    read: String,
  },
  natsNkeyFile: {
    name: "NATS_NKEY_FILE",
    fallback: null as string | null,
    unit: "file",
    about: "File with the NKey seed for NATS.",
    read: String,
  },
  natsCredsFile: {
    name: "NATS_CREDS_FILE",
    fallback: null as string | null,
    unit: "file",
    about: "Credentials file (JWT and seed) for NATS.",
    read: String,
  },
  natsTlsCa: {
    name: "NATS_TLS_CA",
    fallback: null as string | null,
    unit: "file",
    about: "CA certificate to check the NATS server's certificate with.",
    read: String,
  },
  natsTlsCert: {
    name: "NATS_TLS_CERT",
    fallback: null as string | null,
    unit: "file",
    about: "Client certificate for NATS.",
    read: String,
  },
  natsTlsKey: {
    name: "NATS_TLS_KEY",
    fallback: null as string | null,
    unit: "file",
    about: "Private key of the client certificate.",
    read: String,
  },
  nodeName: {
    name: "NODE_NAME",
    fallback: null as string | null,
    unit: "name",
    about: "Name of this node in `nexus cluster` and `nexus drain`; the default is the host name and the process id.",
    read: name,
  },
  nodeWeight: {
    name: "NODE_WEIGHT",
    fallback: 1,
    unit: "number",
    about: "Weight of this node when shards are placed: a node of weight 2 gets twice as many as one of weight 1.",
    read: weight,
  },
  leaseMs: {
    name: "LEASE_MS",
    fallback: 5_000,
    unit: "ms",
    about: "A node that does not renew its lease for this long is declared dead; must be the same on all nodes.",
    read: whole(500, 120_000),
  },
  shards: {
    name: "SHARDS",
    fallback: null as number | null,
    unit: "number",
    about: "Number of shards; set when the database is created (default 128) and fixed from then on.",
    read: whole(1, 4_096),
  },
  graceMs: {
    name: "SHUTDOWN_GRACE_MS",
    fallback: 0,
    unit: "ms",
    about: "How long a gateway keeps serving after SIGTERM, so that the proxy sees it is not ready any more.",
    read: whole(0, 60_000),
  },
};

/** What opens credit lines; `verifies`: accounts can prove who they are, or must. */
function credit(verifies: boolean) {
  return {
    creditRequires: {
      name: "CREDIT_REQUIRES",
      fallback: (verifies ? "identity" : "none") as CreditRequires,
      unit: "word",
      about:
        "What opens the credit line of a rating. `none`: the rating alone. `identity`: a GitHub account of some age and score, or a purchase, and up to CREDIT_LINE_MULTIPLE times what was paid in, or earned from others of whom the same holds. `payment`: as many times what was paid in. The default is `identity` in production and where GitHub or Stripe is set up too. The same for every process.",
      read: oneOf(...CREDIT_REQUIRES),
    },
    creditLineMultiple: {
      name: "CREDIT_LINE_MULTIPLE",
      fallback: 10,
      unit: "NC per NC",
      about: "How many NC of its rating's credit line an account can use for each NC that counts. The same for every process.",
      read: whole(1, 1_000),
    },
    purchaseHoldHours: {
      name: "PURCHASE_HOLD_HOURS",
      fallback: 0,
      unit: "h",
      about:
        "How old a purchase must be until it counts for a credit line; 72 where cards are taken from strangers, because most stolen ones are reported by then. The same for every process.",
      read: whole(0, PURCHASE_HOLD_MS_MAX / 3_600_000),
    },
  };
}

/** What operators can set about the market. */
function market(production: boolean, verifies: boolean) {
  return {
    routingWindowMs: {
      name: "ROUTING_WINDOW_MS",
      fallback: 3_000,
      unit: "ms",
      about: "How long a task collects bids; it ends sooner when every worker online for its type has answered.",
      read: whole(0, 600_000),
    },
    queuePartitions: {
      name: "QUEUE_PARTITIONS",
      fallback: 1,
      unit: "number",
      about:
        "Matchers for each task type; more than one where a type has tens of thousands of tasks a second. The same for every process.",
      read: whole(1, 64),
    },
    streamsPerTask: {
      name: "STREAMS_PER_TASK",
      fallback: MATCHING.announcedMax,
      unit: "number",
      about:
        "Event streams, and listenings of fleets, that hear of a new task (`task.new`): of the best workers who may take it, of newcomers, and of those who have heard of none for longest. The same for every node.",
      read: whole(1, MATCHING.announceLookMax),
    },
    taskTypes: {
      name: "TASK_TYPES",
      fallback: TASK_TYPES as readonly string[],
      unit: "names",
      about: "Task types that may be posted; the first is the default.",
      read: names,
    },
    awardsByTier: {
      name: "AWARDS_BY_TIER",
      fallback: AWARDS_BY_TIER,
      unit: "tasks",
      about:
        "How many tasks a worker may have in progress at a time, by the best skill tier that it has in any type: Unrated, Bronze, Silver, Gold, Diamond.",
      read: awardsByTier,
    },
    signupGrant: {
      name: "SIGNUP_GRANT",
      fallback: 50,
      unit: "NC",
      about: "Credits that a new account is given.",
      read: whole(0, 1_000_000),
    },
    ...credit(verifies),
    allowSimulatedTopup: {
      name: "ALLOW_SIMULATED_TOPUP",
      fallback: !production,
      unit: "true or false",
      about: "Whether POST /credits/topup gives credits for free; off in production.",
      read: flag,
    },
    allowPrivateCallbacks: {
      name: "ALLOW_PRIVATE_CALLBACKS",
      fallback: false,
      unit: "true or false",
      about: "Whether webhooks may go to private addresses; if not, such a `callback_url` is refused.",
      read: flag,
    },
  };
}

/** All of them by their keys; some defaults differ in production, or where accounts can prove who they are (`verifies`). */
export function settings(production: boolean, verifies = production) {
  return {
    ...server(production),
    ...DATABASE,
    ...market(production, verifies),
    ...honeypots(production),
    ...RATES,
    ...CLUSTER,
    ...FLEET,
    ...MAIL,
    ...PAYMENTS,
    ...GITHUB,
  } satisfies { readonly [key: string]: Setting<unknown> };
}

/** The same in groups, in the same order. */
export function settingGroups(production: boolean): readonly SettingGroup[] {
  return [
    { title: "Server", settings: server(production) },
    { title: "Database", settings: DATABASE },
    { title: "Market", settings: { ...market(production, production), ...honeypots(production) } },
    { title: "Limits", settings: RATES },
    { title: "Cluster", settings: CLUSTER },
    { title: "Fleets", settings: FLEET },
    { title: "Mail", settings: MAIL },
    { title: "Payments", settings: PAYMENTS },
    { title: "GitHub", settings: GITHUB },
  ];
}
