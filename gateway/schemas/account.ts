import Type from "typebox";
import { RATINGS } from "../../machines/market/rating.ts";
import { Credits, NextCursor, Nullable, Time, Uuid } from "./common.ts";

export const Register = Type.Object({
  email: Type.String({ format: "email", maxLength: 254, description: "One account per address" }),
  source: Type.Optional(Nullable(Type.String({ maxLength: 100, description: "Where you heard of the platform" }))),
});

export const Registered = Type.Object({
  account_id: Uuid("The account's id"),
  api_key: Type.String({
    pattern: "^[0-9a-f]{64}$",
    examples: ["0f".repeat(32)],
    description: "Shown only now; the platform stores a hash of it",
  }),
  webhook_secret: Type.String({ description: "Key to verify webhook signatures with; shown only now" }),
});

export const Recover = Type.Object({ email: Type.String({ format: "email", maxLength: 254 }) });
export const RecoveryStarted = Type.Object({
  message: Type.String(),
  expires_in: Type.Integer({ description: "How long the code is valid (s)" }),
});
export const VerifyRecover = Type.Object({
  email: Type.String({ format: "email", maxLength: 254 }),
  code: Type.String({ pattern: "^[0-9]{6}$", examples: ["123456"], description: "The six digits from the mail" }),
});

export const Rotated = Type.Object({
  account_id: Uuid("The account's id"),
  api_key: Type.String({ pattern: "^[0-9a-f]{64}$", examples: ["0f".repeat(32)] }),
});

const LineLimit = Nullable(
  Type.String({ description: "Why it is less than the rating's credit line, and what you can do; null if it is not" }),
);

export const Balance = Type.Object({
  credits_balance: Credits("Available"),
  credits_frozen: Credits("Held for open tasks"),
  purchasing_power: Credits("What new tasks may cost in total: the balance plus the credit line"),
  debt: Credits("How far the balance is below 0"),
  credit_line: Credits("How far the balance may go below 0 now"),
  credit_line_limit: LineLimit,
});

export const TopUp = Type.Object({ amount_credits: Type.Integer({ minimum: 1, maximum: 1_000_000_000, description: "NC" }) });
export const Repay = Type.Object({
  amount_credits: Type.Integer({ minimum: 1, maximum: 1_000_000_000, description: "NC, at most the debt" }),
});
export const Repaid = Type.Object({
  credits_balance: Credits("The balance afterwards"),
  debt: Credits("What remains to be repaid"),
});

const Requirement = Type.Object({
  what: Type.Enum(["tasks", "counterparties", "honeypots", "success_percent"]),
  have: Type.Number(),
  need: Type.Number({ description: "At least this; for success_percent, more than this" }),
});

export const CreditInfo = Type.Object({
  rating: Type.Enum(RATINGS.map(({ name }) => name)),
  stars: Type.Integer({ minimum: 0, maximum: 5 }),
  credit_line: Credits("How far the balance may go below 0 now"),
  rating_credit_line: Credits("How far it may go by the rating alone"),
  credit_line_limit: LineLimit,
  debt: Credits("How far the balance is below 0"),
  debt_since: Nullable(Time("The date of the oldest debt")),
  suspension_at: Nullable(Time("When the oldest debt suspends, or has suspended, the account: after 7 days")),
  is_suspended: Type.Boolean(),
  github_login: Nullable(Type.String({ description: "Login of the linked GitHub account" })),
  github_score: Nullable(Type.Integer({ description: "0..100; the quality that a newcomer starts with" })),
  success_percent: Type.Number({ description: "Share of your tasks as a worker that were settled" }),
  next: Nullable(
    Type.Object({
      rating: Type.Enum(RATINGS.map(({ name }) => name)),
      credit_line: Credits("Its credit line"),
      requires: Type.Array(Requirement, { description: "Requirements that are not met yet" }),
    }),
  ),
});

export const PACKS = { small: 500, medium: 2_000, large: 10_000 } as const;

export const CreateSession = Type.Object({
  amount_credits: Type.Optional(
    Type.Integer({
      minimum: 50,
      maximum: 1_000_000,
      description: "Any amount (NC; 1 NC is 1 US cent); give either this or `pack`",
    }),
  ),
  pack: Type.Optional(Type.Enum(Object.keys(PACKS), { description: "small 500 NC, medium 2,000, large 10,000" })),
  success_url: Type.Optional(Type.String({ format: "uri", maxLength: 2_000 })),
  cancel_url: Type.Optional(Type.String({ format: "uri", maxLength: 2_000 })),
});
export const Session = Type.Object({
  session_id: Type.String(),
  url: Type.String({ description: "Where the buyer pays" }),
  amount_credits: Credits("Credits that you get once it is paid"),
});

export const ToppedUp = Type.Object({ credits_balance: Credits("Available") });

export const Statement = Type.Object({
  items: Type.Array(
    Type.Object({
      id: Type.String({ description: "Id of the transfer" }),
      reason: Type.Enum(["GRANT", "TOPUP", "REPAY", "ADJUSTMENT", "PURCHASE", "CHARGEBACK", "HOLD", "SETTLE", "RELEASE", "EARN"]),
      task_id: Nullable(Type.String()),
      available: Credits("Change of the available balance"),
      held: Credits("Change of the held balance"),
      at: Time("When"),
    }),
  ),
  next_cursor: NextCursor,
});

const REPUTATION_EVENTS = [
  "DELIVERED",
  "FAILED_VALIDATION",
  "TIMED_OUT",
  "PENALTY_TAKEN_BACK",
  "COOLDOWN_STARTED",
  "COOLDOWN_ENDED",
  "FROZEN",
  "UNFROZEN",
] as const;

export const Reputation = Type.Object({
  reputation: Type.Integer(),
  task_count: Type.Integer({ description: "Tasks that you were awarded and that ended" }),
  tasks_completed: Type.Integer(),
  tasks_failed: Type.Integer(),
  tasks_timed_out: Type.Integer(),
  tasks_created: Type.Integer(),
  tasks_paid: Type.Integer(),
  first_try: Type.Integer({ description: "Tasks whose first submission was accepted" }),
  counterparties: Type.Integer(),
  is_doubted: Type.Boolean({
    description:
      "Whether more of your latest tasks with a known answer were wrong than right: tasks with a min_skill_rating above 1 are not for you until that has changed",
  }),
  is_frozen: Type.Boolean(),
  cooldown_until: Nullable(Time("When the cooldown ends")),
  skills: Type.Array(
    Type.Object({ task_type: Type.String(), score: Type.Number(), tier: Type.Integer(), tasks: Type.Integer() }),
  ),
  recent_changes: Type.Array(
    Type.Object({
      at: Time("When"),
      event: Type.Enum([...REPUTATION_EVENTS], {
        description: "DELIVERED +1, FAILED_VALIDATION -2, TIMED_OUT -3; PENALTY_TAKEN_BACK: it was not your fault after all",
      }),
      task_id: Nullable(Uuid("The task that it came from")),
      change: Type.Integer({ description: "Of the reputation" }),
      detail: Nullable(Type.String({ description: "Why, or until when" })),
    }),
    { description: "What has changed your reputation of late, or what you may do for that: the newest first, at most 50" },
  ),
});

export const LedgerEntries = Type.Object({
  items: Type.Array(
    Type.Object({
      transfer: Type.String(),
      reason: Type.String(),
      account: Type.Enum(["available", "held", "issuance", "fees", "transit"]),
      owner: Nullable(Type.String({ description: "Id of an account; null for the platform" })),
      amount: Credits("Positive amounts come in"),
      at: Time("When"),
    }),
  ),
  fee: Credits("The platform's fee for this task"),
  next_cursor: NextCursor,
});
