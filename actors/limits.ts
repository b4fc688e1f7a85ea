/** Every bound of the actor host, with its unit. Past a bound there is a refusal, never a growing queue. */
export const LIMITS = {
  /** Commands from clients that wait at one actor. */
  mailboxMax: 2_000,
  /** Messages from other actors and timers that wait at one actor; they are durable elsewhere and come again. */
  mailboxMessagesMax: 20_000,
  /** Commands from clients under way in one host. */
  inFlightMax: 10_000,
  /** Facts in one commit. */
  batchFactsMax: 512,
  /** Characters of facts in one commit. */
  batchCharactersMax: 2_000_000,
  /** Facts between two snapshots of an actor. */
  snapshotEvery: 200,
  /** Facts since the last snapshot that make one worth writing when an actor leaves memory. */
  snapshotOnLeaving: 50,
  /** How long an actor with nothing to do stays in memory (ms). */
  idleMs: 30_000,
  /** How often idle actors are looked for (ms). */
  sweepMs: 5_000,
  /** How often a command is decided anew after another writer got in between. */
  triesMax: 5,
  /** Commands whose answers an actor remembers. */
  recentMax: 128,
  /** Timers that are being carried out at once. */
  timersAtOnce: 256,
  /** Messages from one actor to another that are on their way at once; the rest wait in the outbox. */
  pairFlyingMax: 256,
  /** How long the removal of a delivered message may wait for a commit to ride on (ms). */
  ackDelayMs: 100,
  /** The first and the longest wait before something is tried again (ms). */
  retryMinMs: 50,
  retryMaxMs: 2_000,
  /** How long one attempt to reach an actor waits for its answer before it is made again (ms). */
  attemptMs: 2_500,
  /** The longest wait between two attempts of a client's request (ms): its owner may be found any moment. */
  askRetryMaxMs: 250,
  /** How far back the arrival of a request is believed in (ms), where nobody says how long requests may take. */
  arrivalMsMax: 10_000,
  /** Attempts that nobody answered after which what a command needs to have judged is judged where that can end no node. */
  lostMax: 2,
  /** Shards that a node gives away at once. */
  handsAtOnce: 4,
  /** How long a shard that is given away waits for what is under way in it (ms). */
  closeMs: 3_000,
  /** How long of that for webhooks: one may take far longer, and can be sent again (ms). */
  closeWebhooksMs: 500,
  /** How much of its deadline a reply that waits for deliveries keeps for its own way back (ms). */
  replyMarginMs: 500,
  /** Rows that are read at once when a host takes over what is due. */
  pageRows: 1_000,
} as const;
