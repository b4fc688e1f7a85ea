/** The statechart of an account: which facts may come in which state. Frozen accounts still receive and settle. */
import { assign, type SnapshotFrom, setup } from "xstate";
import { fold } from "./apply.ts";
import type { AccountFact } from "./events.ts";
import { type AccountContext, NEW } from "./state.ts";

const machineSetup = setup({
  types: { context: {} as AccountContext, events: {} as AccountFact, input: {} as { id: string } },
  guards: { cools: ({ context }) => context.cooldownUntil !== null },
  actions: { apply: assign(({ context, event }) => fold(context, event)) },
});

const apply = { actions: ["apply"] } as const;
/** Money and outcomes arrive in every state, so that recovery always goes forward. */
const always = {
  Marked: apply,
  KeyRotated: apply,
  RecoveryRequested: apply,
  RecoveryFailed: apply,
  KeyRecovered: apply,
  ToppedUp: apply,
  PaymentChanged: apply,
  Adjusted: apply,
  Repaid: apply,
  Suspended: apply,
  ItemHoldRefused: apply,
  BatchEnded: apply,
  BatchWaits: apply,
  BatchesCalled: apply,
  Released: apply,
  Settled: apply,
  Earned: apply,
  Failed: apply,
  OAuthStarted: apply,
  OAuthUsed: apply,
  GitHubLinked: apply,
  CapabilityRegistered: apply,
  AvailabilityChanged: apply,
  OfferTaken: apply,
  OfferDeclined: apply,
  OfferFreed: apply,
  HoneypotJudged: apply,
  Rated: apply,
} as const;

export const accountMachine = machineSetup.createMachine({
  id: "account",
  initial: "NEW",
  context: ({ input }) => ({ ...NEW, id: input.id }),
  states: {
    NEW: { on: { Registered: { target: "ACTIVE", ...apply } } },
    ACTIVE: {
      on: {
        ...always,
        Held: apply,
        BatchStarted: apply,
        CooldownStarted: { target: "COOLING", ...apply },
        Frozen: { target: "FROZEN", ...apply },
      },
    },
    COOLING: {
      on: {
        ...always,
        Held: apply,
        BatchStarted: apply,
        CooldownStarted: apply,
        CooldownEnded: { target: "ACTIVE", ...apply },
        Frozen: { target: "FROZEN", ...apply },
      },
    },
    FROZEN: {
      on: {
        ...always,
        Unfrozen: [
          { guard: "cools", target: "COOLING", ...apply },
          { target: "ACTIVE", ...apply },
        ],
        CooldownStarted: apply,
        CooldownEnded: apply,
      },
    },
  },
});

export type AccountSnapshot = SnapshotFrom<typeof accountMachine>;
