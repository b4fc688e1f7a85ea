/**
 * Whether what clients were told was so. An answer is never older than its question:
 *
 * R1  A refusal is right by a state that its actor was in between the moment when the command was sent and that of the answer.
 * R2  A command that was done before it was sent again is never refused.
 * R3  What is read (a row, from the store; how far a batch is, from its actor) is what it was at some moment between question
 *     and answer. So it existed, and is not older than anything that was told or shown to anybody before it was asked for.
 * R4  A batch that is said to be paused, resumed or cancelled was so at some moment between question and answer, also where it had
 *     been before, so that nothing was left to do.
 */
import { isDeepStrictEqual } from "node:util";
import { accountRow } from "../../machines/account/row.ts";
import type { BatchSnapshot } from "../../machines/batch/machine.ts";
import type { BatchProgress } from "../../machines/batch/protocol.ts";
import { taskRow } from "../../machines/task/row.ts";
import { type Cluster, SKEW_MS_MAX } from "./cluster.ts";
import { Past } from "./past.ts";
import { ruleOf } from "./refusals.ts";
import { EPOCH_MS } from "./time.ts";
import type { Refused, Seen, Told, Workload } from "./workload.ts";

/** What was told to clients and was not so. */
export function wrongAnswers({ refused, seen, told }: Workload, cluster: Cluster): readonly string[] {
  const past = new Past(cluster.store);
  return [
    ...refused.flatMap((one) => wrongRefusal(one, past, cluster.gaveUp)),
    ...told
      .filter((one) => one.answer.ok && !wasSteered(one, past))
      .map(({ what: { command, to, commandId } }) => {
        return `${command.type} ${commandId} was answered with success, and the batch ${to} was never so`;
      }),
    ...seen
      .filter((one) => !wasSo(one, past))
      .map(({ kind, id, from, until, shown }) => {
        return `between ${from} and ${until} the ${kind} ${id} was never what it was shown as: ${JSON.stringify(shown)}`;
      }),
  ];
}

function wrongRefusal({ what, refusal, sent, at }: Refused, past: Past, gaveUp: readonly number[]): readonly string[] {
  const { kind, to, command, since } = what;
  const no = `${command.type} ${what.commandId} to ${kind} ${to} was refused at ${at} with ${refusal.refused} (${refusal.detail})`;
  const doneAt = past.doneAt(kind, to, what);
  if (doneAt !== undefined && doneAt < sent) return [`${no}, but it was done at ${doneAt}`];
  const span = { from: since, until: at };
  const cause = {
    command,
    refusal,
    latest: EPOCH_MS + at + SKEW_MS_MAX,
    gaveUp: gaveUp.some((when) => when >= since && when <= at),
    bidder: command.type === "bid" ? past.account(command.worker, span) : [],
  };
  const rule = ruleOf(refusal.refused) ?? {};
  const founded = {
    task: () => past.task(to, span).some((state) => rule.task?.({ ...cause, state })),
    account: () => past.account(to, span).some((state) => rule.account?.({ ...cause, state })),
    batch: () => past.batch(to, span).some((state) => rule.batch?.({ ...cause, state })),
  }[kind]();
  return founded ? [] : [`${no}, and there was no reason since ${since}`];
}

/** What a batch is once it was told to be so. */
const STEERED: { readonly [command: string]: readonly BatchSnapshot["value"][] } = {
  pause: ["PAUSED", "DONE"],
  resume: ["RUNNING", "DONE"],
  cancel: ["CANCELLING", "CANCELLED"],
};

/** With its last item a batch is done, paused or not. */
function wasSteered({ what: { kind, to, command, since }, at }: Told, past: Past): boolean {
  const so = kind === "batch" ? STEERED[command.type] : undefined;
  return so === undefined || past.batch(to, { from: since, until: at }).some(({ value }) => so.includes(value));
}

function wasSo(seen: Seen, past: Past): boolean {
  const { kind, id } = seen;
  switch (kind) {
    case "task":
      return past.task(id, seen).some((state) => isDeepStrictEqual(taskRow(state), seen.shown));
    case "account":
      return past.account(id, seen).some((state) => isDeepStrictEqual(accountRow(state), seen.shown));
    case "batch":
      return past.batch(id, seen).some((state) => isProgress(state, seen.shown));
    default:
      return kind satisfies never;
  }
}

/** Whether a batch that is in this state may say this of itself. */
function isProgress({ value, context: { items, states } }: BatchSnapshot, shown: BatchProgress | null): boolean {
  if (shown === null) return value === "NEW";
  const became = items.map(({ task }, number) => {
    const state = states[number];
    return { task, status: state?.state === "ENDED" ? state.status : (state?.state ?? "WAITING") };
  });
  const told = shown.items.map(({ task, status }) => ({ task, status }));
  return shown.status === value && isDeepStrictEqual(told, became);
}
