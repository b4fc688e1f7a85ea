/** Settings that limit what one client may ask of a gateway. */
import { CONNECTION_BOUNDS } from "../server/connections.ts";
import { hops, redisUrl, whole } from "./values.ts";

/** A limit of 0 is none. */
export const RATES = {
  redisUrl: {
    name: "REDIS_URL",
    fallback: null as string | null,
    unit: "URL",
    about: "Redis in which gateways share their rate limits; without it, or while it is down, each gateway counts for itself.",
    secret: true,
    read: redisUrl,
  },
  ratePerSecond: {
    name: "RATE_LIMIT_PER_SECOND",
    fallback: 10,
    unit: "requests/s",
    about: "Requests per API key; 0 turns the limit off.",
    read: whole(0, 1_000_000),
  },
  rateTasksPerMinute: {
    name: "RATE_LIMIT_TASKS_PER_MINUTE",
    fallback: 60,
    unit: "tasks/min",
    about: "Tasks created per API key; 0 turns the limit off.",
    read: whole(0, 1_000_000),
  },
  rateAuthFailuresPerMinute: {
    name: "RATE_LIMIT_AUTH_FAILURES_PER_MINUTE",
    fallback: 5,
    unit: "failures/min",
    about: "Wrong keys, tokens and recovery codes per IP address (IPv6: per /64); 0 turns the limit off.",
    read: whole(0, 1_000_000),
  },
  rateVisitsPerSecond: {
    name: "RATE_LIMIT_VISITS_PER_SECOND",
    fallback: 20,
    unit: "requests/s",
    about:
      "Requests without an API key per IP address; in development, requests from this machine do not count; 0 turns the limit off.",
    read: whole(0, 1_000_000),
  },
  rateRegistrationsPerHour: {
    name: "RATE_LIMIT_REGISTRATIONS_PER_HOUR",
    fallback: 20,
    unit: "registrations/h",
    about:
      "Registrations per IP address (IPv6: per /64); in development, those from this machine do not count; 0 turns the limit off.",
    read: whole(0, 1_000_000),
  },
  rateRecoveriesPerHour: {
    name: "RATE_LIMIT_RECOVERIES_PER_HOUR",
    fallback: 5,
    unit: "codes/h",
    about: "Recovery codes requested per account and per IP address; 0 turns the limit off.",
    read: whole(0, 1_000_000),
  },
  connections: {
    name: "CONNECTIONS",
    fallback: CONNECTION_BOUNDS.inAll,
    unit: "connections",
    about: "HTTP connections in all; keep it below the number of open files that the system allows (ulimit -n).",
    read: whole(1, 1_000_000),
  },
  connectionsPerAddress: {
    name: "CONNECTIONS_PER_ADDRESS",
    fallback: CONNECTION_BOUNDS.ofAddress,
    unit: "connections",
    about: "HTTP connections per IP address (IPv6: per /64), unless TRUST_PROXY is set; 0 turns the limit off.",
    read: whole(0, 1_000_000),
  },
  streamsPerAddress: {
    name: "STREAMS_PER_ADDRESS",
    fallback: 50,
    unit: "streams",
    about: "Open event streams per IP address, at each gateway; 0 turns the limit off.",
    read: whole(0, 1_000_000),
  },
  trustProxy: {
    name: "TRUST_PROXY",
    fallback: 0,
    unit: "proxies",
    about: "Number of proxies in front; the client's address is the entry that the outermost of them put into X-Forwarded-For.",
    read: hops,
  },
};
