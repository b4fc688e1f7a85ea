import Type from "typebox";
import { RATINGS } from "../../machines/market/rating.ts";
import { Credits, NextCursor, Nullable, Time, Uuid } from "./common.ts";

export const Register = Type.Object({
  email: Type.String({ format: "email", maxLength: 254, description: "One account for each address" }),
  source: Type.Optional(Nullable(Type.String({ maxLength: 100, description: "How you came here" }))),
});

export const Registered = Type.Object({
  account_id: Uuid("The account's id"),
  api_key: Type.String({
    pattern: "^[0-9a-f]{64}$",
    examples: ["0f".repeat(32)],
    description: "Shown only now; the platform keeps a hash",
  }),
  webhook_secret: Type.String({ description: "Checks the signatures of webhooks" }),
});

export const Recover = Type.Object({ email: Type.String({ format: "email", maxLength: 254 }) });
export const RecoveryStarted = Type.Object({
  message: Type.String(),
  expires_in: Type.Integer({ description: "Seconds for which the code is good" }),
});
export const VerifyRecover = Type.Object({
  email: Type.String({ format: "email", maxLength: 254 }),
  code: Type.String({ pattern: "^[0-9]{6}$", examples: ["123456"], description: "The six digits that were sent" }),
});

export const Rotated = Type.Object({
  account_id: Uuid("The account's id"),
  api_key: Type.String({ pattern: "^[0-9a-f]{64}$", examples: ["0f".repeat(32)] }),
});

export const Balance = Type.Object({
  credits_balance: Credits("Available"),
  credits_frozen: Credits("Held for open tasks"),
  purchasing_power: Credits("What new tasks may cost: available plus what is left of the credit line"),
  debt: Credits("What is owed"),
  credit_line: Credits("The credit line"),
});

export const TopUp = Type.Object({ amount_credits: Type.Integer({ minimum: 1, maximum: 1_000_000_000, description: "NC" }) });
export const Repay = Type.Object({
  amount_credits: Type.Integer({ minimum: 1, maximum: 1_000_000_000, description: "NC, at most the debt" }),
});
export const Repaid = Type.Object({ credits_balance: Credits("Available"), debt: Credits("What is still owed") });

const Requirement = Type.Object({
  what: Type.Enum(["tasks", "counterparties", "honeypots", "success_percent"]),
  have: Type.Number(),
  need: Type.Number({ description: "At least this; for success_percent, more than this" }),
});

export const CreditInfo = Type.Object({
  rating: Type.Enum(RATINGS.map(({ name }) => name)),
  stars: Type.Integer({ minimum: 0, maximum: 5 }),
  credit_line: Credits("How far the balance may go below 0"),
  debt: Credits("How far it is below 0"),
  debt_since: Nullable(Time("When it went below 0")),
  suspension_at: Nullable(Time("When unpaid debt suspends the account (7 days), or has done so")),
  is_suspended: Type.Boolean(),
  github_login: Nullable(Type.String({ description: "The GitHub account that is linked" })),
  github_score: Nullable(Type.Integer({ description: "0..100; where a newcomer starts in routing" })),
  success_percent: Type.Number({ description: "Settled of all tasks that ended, as a worker" }),
  next: Nullable(
    Type.Object({
      rating: Type.Enum(RATINGS.map(({ name }) => name)),
      credit_line: Credits("Its credit line"),
      requires: Type.Array(Requirement, { description: "What is still missing" }),
    }),
  ),
});

export const PACKS = { small: 500, medium: 2_000, large: 10_000 } as const;

export const CreateSession = Type.Object({
  amount_credits: Type.Optional(
    Type.Integer({ minimum: 50, maximum: 1_000_000, description: "Any amount (NC); 1 NC is 1 US cent. This, or a pack" }),
  ),
  pack: Type.Optional(Type.Enum(Object.keys(PACKS), { description: "small 500 NC, medium 2,000, large 10,000" })),
  success_url: Type.Optional(Type.String({ format: "uri", maxLength: 2_000 })),
  cancel_url: Type.Optional(Type.String({ format: "uri", maxLength: 2_000 })),
});
export const Session = Type.Object({
  session_id: Type.String(),
  url: Type.String({ description: "Where the buyer pays" }),
  amount_credits: Credits("What is credited once it is paid"),
});

export const ToppedUp = Type.Object({ credits_balance: Credits("Available") });

export const Statement = Type.Object({
  items: Type.Array(
    Type.Object({
      id: Type.String({ description: "The transfer" }),
      reason: Type.Enum(["GRANT", "TOPUP", "REPAY", "ADJUSTMENT", "PURCHASE", "CHARGEBACK", "HOLD", "SETTLE", "RELEASE", "EARN"]),
      task_id: Nullable(Type.String()),
      available: Credits("Change of the available balance"),
      held: Credits("Change of what is held"),
      at: Time("When"),
    }),
  ),
  next_cursor: NextCursor,
});

export const Reputation = Type.Object({
  reputation: Type.Integer(),
  task_count: Type.Integer({ description: "Awards that ended" }),
  tasks_completed: Type.Integer(),
  tasks_failed: Type.Integer(),
  tasks_timed_out: Type.Integer(),
  tasks_created: Type.Integer(),
  tasks_paid: Type.Integer(),
  first_try: Type.Integer({ description: "Completed with the first submission" }),
  counterparties: Type.Integer(),
  is_frozen: Type.Boolean(),
  cooldown_until: Nullable(Time("When the cooldown ends")),
  skills: Type.Array(
    Type.Object({ task_type: Type.String(), score: Type.Number(), tier: Type.Integer(), tasks: Type.Integer() }),
  ),
});

export const LedgerEntries = Type.Object({
  items: Type.Array(
    Type.Object({
      transfer: Type.String(),
      reason: Type.String(),
      account: Type.Enum(["available", "held", "issuance", "fees", "transit"]),
      owner: Nullable(Type.String({ description: "An account's id; null for the platform" })),
      amount: Credits("Positive is money coming in"),
      at: Time("When"),
    }),
  ),
  fee: Credits("What the platform got for this task"),
  next_cursor: NextCursor,
});
