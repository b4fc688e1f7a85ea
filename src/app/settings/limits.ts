/** The settings of what one client may ask of a gateway. */
import { CONNECTION_BOUNDS } from "../server/connections.ts";
import { hops, redisUrl, whole } from "./values.ts";

/** How much one client may ask; a limit of 0 is none. */
export const RATES = {
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
    about: "Wrong keys, tokens and recovery codes from one IP address; 0 switches the limit off.",
    read: whole(0, 1_000_000),
  },
  rateVisitsPerSecond: {
    name: "RATE_LIMIT_VISITS_PER_SECOND",
    fallback: 20,
    unit: "requests/s",
    about: "Requests without an API key from one IP address; 0 switches the limit off.",
    read: whole(0, 1_000_000),
  },
  rateRegistrationsPerHour: {
    name: "RATE_LIMIT_REGISTRATIONS_PER_HOUR",
    fallback: 20,
    unit: "registrations/h",
    about: "Registrations from one IP address (of IPv6: one /64); 0 switches the limit off.",
    read: whole(0, 1_000_000),
  },
  rateRecoveriesPerHour: {
    name: "RATE_LIMIT_RECOVERIES_PER_HOUR",
    fallback: 5,
    unit: "codes/h",
    about: "Recovery codes that may be asked for one account, or from one IP address; 0 switches the limit off.",
    read: whole(0, 1_000_000),
  },
  connections: {
    name: "CONNECTIONS",
    fallback: CONNECTION_BOUNDS.inAll,
    unit: "connections",
    about: "HTTP connections in all; less than the files that the system lets a process open (ulimit -n).",
    read: whole(1, 1_000_000),
  },
  connectionsPerAddress: {
    name: "CONNECTIONS_PER_ADDRESS",
    fallback: CONNECTION_BOUNDS.ofAddress,
    unit: "connections",
    about: "HTTP connections of one IP address (of IPv6: one /64), unless TRUST_PROXY is set; 0 switches the limit off.",
    read: whole(0, 1_000_000),
  },
  streamsPerAddress: {
    name: "STREAMS_PER_ADDRESS",
    fallback: 50,
    unit: "streams",
    about: "Event streams that clients of one IP address may have open at a gateway; 0 switches the limit off.",
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
