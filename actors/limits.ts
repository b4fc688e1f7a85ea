/** Every bound of the actor host, with its unit. Above a bound there is a refusal, never a growing queue. */
export const LIMITS = {
  /** Client commands that may wait in one mailbox. */
  mailboxMax: 2_000,
  /** Messages and timers that may wait in one mailbox; they are durable elsewhere and are sent again. */
  mailboxMessagesMax: 20_000,
  /** Concurrent commands from clients in one host. */
  inFlightMax: 10_000,
  /** Facts per commit. */
  batchFactsMax: 512,
  /** Characters of facts per commit. */
  batchCharactersMax: 2_000_000,
  /** Facts that make a commit beside those under way worthwhile. */
  besideFactsMin: 32,
  /** Facts between two snapshots of an actor. */
  snapshotEvery: 200,
  /** Facts since the last snapshot that make a new one worthwhile when an actor is evicted. */
  snapshotOnLeaving: 50,
  /** How long an idle actor stays in memory (ms). */
  idleMs: 30_000,
  /** How often idle actors are evicted (ms). */
  sweepMs: 5_000,
  /** How often a command is decided again after a conflict with another writer. */
  triesMax: 5,
  /** Command results that an actor remembers. */
  recentMax: 128,
  /** Timers handled at once. */
  timersAtOnce: 256,
  /** Messages in flight between a pair of actors; the rest wait in the outbox. */
  pairInFlightMax: 256,
  /** How long the removal of a delivered message may wait for another commit to join (ms). */
  ackDelayMs: 100,
  /** Backoff: the first and the longest wait before a retry (ms). */
  retryMinMs: 50,
  retryMaxMs: 2_000,
  /** After which time a timer fires again that is still set although its command was refused, or never decided (ms). */
  refusedTimerMs: 60_000,
  /** Timeout of one attempt to reach an actor (ms). */
  attemptMs: 2_500,
  /** The longest wait between two attempts of a client's request (ms), because an owner may appear at any time. */
  askRetryMaxMs: 250,
  /** How far back the arrival time of a request is accepted (ms), if no request timeout is given. */
  arrivalMsMax: 10_000,
  /** After this many unanswered attempts, the judgement of a command is made in a thread only, where it cannot end a node. */
  lostMax: 2,
  /** Shards that a node hands over at once. */
  handsAtOnce: 4,
  /** How long the hand-over of a shard waits for running commands (ms). */
  closeMs: 3_000,
  /** How much of that it waits for outbound calls, which may take far longer and can be made again (ms). */
  closeCallsMs: 500,
  /** How long before its deadline a reply stops waiting for deliveries, to leave time for the way back (ms). */
  replyMarginMs: 500,
  /** Rows per read when a host resumes timers and messages. */
  pageRows: 1_000,
} as const;
