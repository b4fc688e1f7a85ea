import { expect, test } from "vitest";
import { settingsInForce, warnings } from "../../src/app/settings/config.ts";

test.each([
  ["RATELIMIT_PER_SECOND", "RATE_LIMIT_PER_SECOND"],
  ["RATE_LIMITS_PER_SECOND", "RATE_LIMIT_PER_SECOND"],
  ["RATE_LIMIT_REQUESTS_PER_SECOND", "RATE_LIMIT_PER_SECOND"],
  ["rate_limit_per_second", "RATE_LIMIT_PER_SECOND"],
  ["RATE_LIMIT_TASK_PER_MINUTE", "RATE_LIMIT_TASKS_PER_MINUTE"],
  ["RATE_LIMIT_PER_SEC", "RATE_LIMIT_PER_SECOND"],
  ["RATE_LIMIT_TASKS", "RATE_LIMIT_TASKS_PER_MINUTE"],
  ["STRIPE_SECRET", "STRIPE_SECRET_KEY"],
  ["DATABASE_URLS", "DATABASE_URL"],
  ["NEXUS_DATABASE_URL", "DATABASE_URL"],
  ["NEXUS_DATADIR", "NEXUS_DATA_DIR"],
  ["NEXUS_PORT", "PORT"],
  ["ADMIN_TOKNE", "ADMIN_TOKEN"],
  ["ADMIN-TOKEN", "ADMIN_TOKEN"],
  ["admin_token", "ADMIN_TOKEN"],
  ["port", "PORT"],
  ["SMTP_URI", "SMTP_URL"],
  ["ALLOW_PRIVATE_CALLBACK", "ALLOW_PRIVATE_CALLBACKS"],
  ["LOGLEVEL", "LOG_LEVEL"],
])("%s is told to be nearly %s", (name, meant) => {
  expect(warnings({ [name]: "1" })).toEqual([
    `${name} is set, but no setting has that name; it is not read. Did you mean ${meant}?`,
  ]);
});

test("what others set is left alone", () => {
  const others =
    `HOSTNAME HOSTTYPE NODE_OPTIONS NODE_PATH NODE_VERSION NODE_EXTRA_CA_CERTS PATH PWD OLDPWD HOME SHELL SHLVL USER LOGNAME
    PGHOST PGPORT PGUSER PGDATABASE PGPASSWORD REDIS_PORT REDIS_HOST NATS_PORT NATS_SERVICE_HOST NATS_PORT_4222_TCP KUBERNETES_PORT
    PORTS SSH_AUTH_SOCK GITHUB_TOKEN GITHUB_ACTIONS GITHUB_SERVER_URL GITHUB_REF GITHUB_REPOSITORY DATABASE_HOST DATABASE_NAME
    TEST_DATABASE_URL TEST_POSTGRES_URL DIRECT_DATABASE_URL POSTGRES_PASSWORD SMTP_HOST SMTP_USER SMTP_PORT STRIPE_PUBLISHABLE_KEY
    NEXUS_API_KEY NEXUS_BASE_URL npm_config_loglevel npm_lifecycle_event NPM_CONFIG_LOGLEVEL LOG_FORMAT LOG_FILE NO_COLOR FORCE_COLOR
    VITEST VITEST_POOL_ID TZ LANG LC_ALL TERM COLORTERM EDITOR DEBUG CI _`.split(/\s+/);
  expect(warnings(Object.fromEntries(others.map((name) => [name, "1"])))).toEqual([]);
});

test("every name that is right says nothing, twice in Windows' own case neither", () => {
  const names = settingsInForce({}).map(({ name }) => name);
  expect(names.length).toBeGreaterThan(40);
  expect(warnings(Object.fromEntries(names.map((name) => [name, "1"])))).toEqual([]);
  expect(warnings({ PORT: "8000", Port: "8000" })).toEqual([]);
});

test("a platform listens on this machine alone, and in production on all addresses", () => {
  const hostOf = (environment: Record<string, string>) => settingsInForce(environment).find(({ name }) => name === "HOST")?.value;
  expect(hostOf({})).toBe("127.0.0.1");
  expect(hostOf({ NODE_ENV: "production" })).toBe("0.0.0.0");
  expect(hostOf({ NODE_ENV: "production", HOST: "::" })).toBe("::");
});
