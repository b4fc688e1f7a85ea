/** What is asked of a validator, and its answer. */
import type { JsonValue } from "../vocabulary.ts";
import type { Demands, Verdict } from "./verdict.ts";

/** What is judged: a worker's result, on which money depends, or a requester's example. */
export type Lane = "submission" | "example";

/** What must be known before a command can be decided, because it is slow to find out: whether a result is right. */
export interface Question {
  readonly demands: Demands;
  readonly result: JsonValue;
  /** The text that the result is about, if a rule compares the two. */
  readonly input?: string;
  /** The account whose thread time it uses: the one that wrote the demands, see machines/task/decide.ts. */
  readonly account: string;
  readonly lane: Lane;
}

/** Why there is no judgement: this field of the demands is wrong, judging takes too long, or too many judgements wait. */
export interface Unjudged {
  readonly unjudged: string;
  readonly because: "schema" | "rules" | "slow" | "busy";
  /** Whether it was begun, and killed at its deadline. */
  readonly killed?: true;
}

/** A verdict, with the cost of the schema alone (validation/cost.ts) if that is known. */
export type Judged = Verdict & { readonly cost?: number };

export type Judgement = Judged | Unjudged;
