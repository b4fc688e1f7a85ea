import Type from "typebox";
import { ACCOUNT_STATUSES } from "../../machines/vocabulary.ts";
import { Credits, NextCursor, Nullable, Time, Uuid } from "./common.ts";
import { HistoryEvent, Task } from "./task.ts";

export const Reason = Type.Object({
  reason: Type.String({ minLength: 1, maxLength: 500, description: "Recorded with the action" }),
});

export const AccountQuery = Type.Object({
  id: Type.Optional(Type.String({ format: "uuid" })),
  email: Type.Optional(Type.String({ format: "email", maxLength: 254 })),
});

export const Adjust = Type.Object({
  amount_credits: Type.Integer({
    minimum: -1_000_000_000,
    maximum: 1_000_000_000,
    description: "NC; a negative amount takes credits",
  }),
  reason: Type.String({ minLength: 1, maxLength: 500 }),
});

export const AdminAccount = Type.Object({
  id: Uuid("The account's id"),
  email: Type.String(),
  status: Type.Enum([...ACCOUNT_STATUSES]),
  credits_balance: Credits("Available"),
  credits_frozen: Credits("Held"),
  reputation: Type.Integer(),
  debt_since: Nullable(Time("When the balance went below 0")),
  cooldown_until: Nullable(Time("When the cooldown ends")),
  github_login: Nullable(Type.String()),
  created_at: Time("When the account was registered"),
});

const Entry = Type.Object({
  transfer: Type.String(),
  reason: Type.String(),
  account: Type.String(),
  owner: Nullable(Type.String()),
  amount: Credits("Positive amounts come in"),
  at: Time("When"),
});

export const AdminTask = Type.Object({ task: Task, events: Type.Array(HistoryEvent), ledger: Type.Array(Entry) });
export const Action = Type.Object({ id: Uuid("The id of the task"), status: Type.Literal("DONE") });

export const ActionPage = Type.Object({
  items: Type.Array(
    Type.Object({
      id: Uuid("The action's id"),
      at: Time("When"),
      action: Type.String(),
      target: Uuid("The account, task or honeypot"),
      detail: Type.Record(Type.String(), Type.Unknown()),
      outcome: Nullable(Type.String({ description: "`done`, or the code of the refusal; null while unknown" })),
    }),
  ),
  next_cursor: NextCursor,
});
