/**
 * A NATS micro service (ADR-32 of NATS): what `nats micro ls`, `info`, `stats` and `ping` ask, answered on `$SRV.>`. The
 * library's own service reads the headers of a message before anybody can see how long they are, and counts a request as over
 * when its handler returns; so only its types are used here.
 */
import {
  type Msg,
  type NatsConnection,
  type ServiceIdentity,
  type ServiceInfo,
  ServiceResponseType,
  type ServiceStats,
  ServiceVerb,
} from "nats";

export interface MicroEndpoint {
  /** Letters, digits, - and _. */
  readonly name: string;
  readonly subject: string;
  readonly metadata: { readonly [name: string]: string };
}

export interface MicroService {
  /** Letters, digits, - and _. */
  readonly name: string;
  /** Identifies this instance. */
  readonly id: string;
  readonly version: string;
  readonly description: string;
  readonly metadata: { readonly [name: string]: string };
  /** The queue group of all instances. */
  readonly queue: string;
  readonly endpoints: readonly MicroEndpoint[];
}

interface Counts {
  requests: number;
  errors: number;
  /** From request to answer, in all (ms). */
  ms: number;
  lastError: string | undefined;
}

const NANOS_PER_MS = 1_000_000;

/** Tells of a service, and counts what it answers. */
export class Micro {
  readonly #service: MicroService;
  readonly #started: string;
  readonly #counts = new Map<string, Counts>();

  /** `started` is an ISO date. */
  constructor(service: MicroService, started: string) {
    this.#service = service;
    this.#started = started;
    for (const { name } of service.endpoints) this.#counts.set(name, { requests: 0, errors: 0, ms: 0, lastError: undefined });
  }

  /** Counts an answered request to an endpoint: how long it took (ms), and the error if it was one. */
  count(endpoint: string, ms: number, error: string | null): void {
    const counts = this.#counts.get(endpoint);
    if (counts === undefined) return;
    counts.requests += 1;
    counts.ms += ms;
    if (error === null) return;
    counts.errors += 1;
    counts.lastError = error;
  }

  /** Answers from now on who asks what services there are. */
  tell(connection: NatsConnection): void {
    const { name, id } = this.#service;
    const told = {
      [ServiceVerb.PING]: () => this.ping(),
      [ServiceVerb.INFO]: () => this.info(),
      [ServiceVerb.STATS]: () => this.stats(),
    };
    for (const [verb, tell] of Object.entries(told)) {
      const callback = (error: Error | null, message: Msg) => {
        // Nobody is made to publish to a subject that is not an inbox.
        if (error === null && message.reply?.startsWith("_INBOX.") === true) message.respond(JSON.stringify(tell()));
      };
      for (const subject of [`$SRV.${verb}`, `$SRV.${verb}.${name}`, `$SRV.${verb}.${name}.${id}`]) {
        connection.subscribe(subject, { callback });
      }
    }
  }

  ping(): ServiceIdentity {
    const { name, id, version, metadata } = this.#service;
    return { type: ServiceResponseType.PING, name, id, version, metadata: { ...metadata } };
  }

  info(): ServiceInfo {
    const { description, queue, endpoints } = this.#service;
    const listed = endpoints.map(({ metadata, ...endpoint }) => ({ ...endpoint, queue_group: queue, metadata: { ...metadata } }));
    return { ...this.ping(), type: ServiceResponseType.INFO, description, endpoints: listed };
  }

  stats(): ServiceStats {
    const { queue, endpoints } = this.#service;
    const counted = endpoints.map(({ name, subject }) => {
      const { requests = 0, errors = 0, ms = 0, lastError } = this.#counts.get(name) ?? {};
      return {
        name,
        subject,
        queue_group: queue,
        num_requests: requests,
        num_errors: errors,
        processing_time: Math.round(ms * NANOS_PER_MS),
        average_processing_time: requests === 0 ? 0 : Math.round((ms / requests) * NANOS_PER_MS),
        ...(lastError === undefined ? {} : { last_error: lastError }),
      };
    });
    return { ...this.ping(), type: ServiceResponseType.STATS, started: this.#started, endpoints: counted };
  }
}
