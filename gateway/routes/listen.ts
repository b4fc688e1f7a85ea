import { fleetOnly } from "../http/operation.ts";
import { invalid, Problem } from "../http/problems.ts";
import { LISTEN_S, LISTEN_S_MAX } from "../live/listenings.ts";
import { TOPICS } from "../live/stream.ts";
import { Listen, Listening } from "../schemas/work.ts";
import { time } from "../show/task.ts";
import { mayListen, tooManyStreams } from "./events.ts";

/** Retry-After where a gateway stops (s): another one answers then. */
const RETRY_AFTER_S = 1;
const SECOND_MS = 1_000;

const listen = fleetOnly(
  {
    id: "listenToWork",
    tag: "Work",
    verb: { name: "work.listen" },
    summary: "Have events pushed to your fleet",
    description: `From the answer on, the events of \`GET /api/v1/events/stream\` come on the subject \`nexus.push.v1.<account id>\`, each as one JSON object: the data of the stream's event with \`id\` and \`after\`, the id of the event before it. They come for \`seconds\` (at most ${LISTEN_S_MAX}); ask again before that is over, with the id of the last event that you have heard as \`last_event_id\`: no award that you still have and no end is left out then, and some may come twice. If \`after\` is above that id, something was lost on its way: ask again at once. An account has one listening; what is asked for last counts. Meanwhile you are online for its task types.`,
    body: Listen,
    answers: { 200: { about: "Events are pushed", schema: Listening } },
  },
  async function listenToWork({ account, keyHash, address, body, line, services }) {
    const { settings, listenings } = services;
    const { task_types: taskTypes = null, topics = TOPICS, seconds = LISTEN_S, last_event_id: last = null } = body;
    if (taskTypes?.every((type) => settings.taskTypes.includes(type)) === false) {
      throw invalid([{ field: "task_types", message: `must be some of ${settings.taskTypes.join(", ")}` }]);
    }
    const works = await mayListen(services, account);
    const asked = { account, keyHash, address, topics, taskTypes, last, works, line, ms: seconds * SECOND_MS };
    const listening = await listenings.listen(asked);
    if (listening === "ended") {
      const detail = "This gateway stops, or your key was replaced; ask again.";
      throw new Problem(503, "UNAVAILABLE", detail, { retryAfter: RETRY_AFTER_S });
    }
    if (typeof listening === "string") throw tooManyStreams(listening);
    return { status: 200, body: { until: time(listening.until), last_event_id: listening.after } };
  },
);

export const listenRoutes = [listen];
