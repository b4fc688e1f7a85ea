import { getInitialSnapshot } from "xstate";
import type { Entity } from "../entity.ts";
import { evolve, logicOf } from "../statechart.ts";
import { announceAccount, wakenByAccount } from "./announce.ts";
import { decideAccount } from "./decide.ts";
import { type AccountFact, upcastAccountFact } from "./events.ts";
import { type AccountSnapshot, accountMachine } from "./machine.ts";
import { accountPostings } from "./postings.ts";
import { recallAccount } from "./replies.ts";
import { type AccountRow, accountRow, capabilityRows } from "./row.ts";
import { persistAccount, restoreAccount } from "./snapshot.ts";

const logic = logicOf(accountMachine);

export const account: Entity<"account", AccountSnapshot, AccountFact, AccountRow> = {
  kind: "account",
  initial: (id) => getInitialSnapshot(accountMachine, { id }),
  question: () => undefined,
  answered: (command) => command,
  decide: decideAccount,
  timerGraceMs: () => 0,
  logic,
  evolve: (state, fact) => evolve(logic, state, fact),
  upcast: upcastAccountFact,
  recall: recallAccount,
  postings: accountPostings,
  announce: announceAccount,
  wakes: wakenByAccount,
  row: (_id, state) => accountRow(state),
  parts: capabilityRows,
  persist: persistAccount,
  restore: (_id, stored) => restoreAccount(stored),
  finished: (state) => !state.hasTag("registered"),
};
