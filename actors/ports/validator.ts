import type { Judgement, Question } from "../../machines/entity.ts";

/** Where a result may be judged: wherever that is light enough, or only where it can be stopped, whatever it does. */
export type JudgedWhere = "anywhere" | "thread";

export interface Validator {
  /** Judges a result within a bounded time; never throws, never rejects. At once where the judgement is light. */
  judge(question: Question, where?: JudgedWhere): Promise<Judgement> | Judgement;
}
