import type { Judgement, Question } from "../../machines/validation/judgement.ts";

/** Where a result may be judged: anywhere if it is light, or only in a thread that can be killed. */
export type JudgedWhere = "anywhere" | "thread";

export interface Validator {
  /** Judges a result within bounded time; never throws, never rejects. Synchronous if the judgement is light. */
  judge(question: Question, where?: JudgedWhere): Promise<Judgement> | Judgement;
}
