/** What may move an actor on, told to operators: who runs it, its timers, the messages on their way. */
import type { Millis } from "../../../machines/vocabulary.ts";
import type { Surroundings } from "../../adapters/postgres/inspect.ts";
import { lasting, moment, plural } from "./words.ts";

/** A timer or a heartbeat that is later than this (ms) is worth a warning; ordinary ones are late by a moment. */
const LATE_MS = 10_000;

export function surroundingSentences({ owner, timers, messages }: Surroundings, now: Millis): readonly string[] {
  const late = timers.filter(({ at }) => now - at > LATE_MS);
  return [
    ownerSentence(owner),
    ...timers.map(({ name, at }) => `The timer \`${name}\` is set for ${moment(at, now)}.`),
    ...(late.length === 0 ? [] : ["A timer is overdue: nobody runs this shard, or its node is overloaded; see `nexus cluster`."]),
    ...messages.map(({ command, from, to, dead }) => {
      const what = `The message \`${command}\` from ${from} to ${to}`;
      return dead === null ? `${what} is on its way.` : `${what} was refused for good (${dead}) and stays undelivered.`;
    }),
  ];
}

function ownerSentence({ shard, node, ageMs, members }: Surroundings["owner"]): string {
  if (node !== null && ageMs !== null) {
    const warning = ageMs > LATE_MS ? " It seems to be dead." : "";
    return `Node ${node} runs its shard, ${shard}; its last heartbeat was ${lasting(ageMs)} ago.${warning}`;
  }
  return members === 0
    ? `No node is a member, so its shard, ${shard}, is run by a platform of one process, if one is started.`
    : `No node runs its shard, ${shard}, of ${plural(members, "member")}: nothing can happen to it until one does; see \`nexus cluster\`.`;
}
