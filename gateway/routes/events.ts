import Type from "typebox";
import { mayWork } from "../../machines/eligibility.ts";
import { refuse } from "../../machines/refusal.ts";
import { keyed } from "../http/operation.ts";
import { accountSuspended, invalid, Problem, problemOf } from "../http/problems.ts";
import { TOPICS } from "../live/stream.ts";
import { checkTaskType } from "../task-spec/task-type.ts";

const RETRY_AFTER_S = 10;
const FROZEN = refuse("ACCOUNT_FROZEN", "Your account is frozen; ask the operator to release it, then open the stream again.");
const TOO_MANY = {
  account: "This account has too many open streams; close one of them.",
  address: "Your address has too many open streams; close one of them.",
  process: "There are too many open streams; try again shortly, or poll GET /api/v1/tasks/available meanwhile.",
} as const;

const stream = keyed(
  {
    id: "streamEvents",
    tag: "Events",
    method: "get",
    path: "/api/v1/events/stream",
    acts: true,
    summary: "Stream of events as they happen",
    description:
      "Server-sent events: `task.new` (a task that you can take), `task.awarded` (to you) and `task.terminal` (a task of yours has ended), each with the task. Send the id of the last event as Last-Event-ID to continue after it; events may then arrive twice. While the stream is open you are online for its task types.",
    query: Type.Object({
      topics: Type.Optional(
        Type.String({
          maxLength: 200,
          description: "Some of task.new, task.awarded, task.terminal, separated by commas; if omitted, all",
        }),
      ),
      task_type: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: "Type of new tasks; if omitted, all" })),
    }),
    stream: true,
    answers: { 200: { about: "Events, until you disconnect", schema: Type.String() } },
  },
  async function streamEvents({ account, keyHash, address, query, header, services }) {
    const asked = query.topics === undefined ? TOPICS : query.topics.split(",").map((topic) => topic.trim());
    const topics = TOPICS.filter((topic) => asked.includes(topic));
    if (topics.length !== asked.length) throw invalid([{ field: "topics", message: `must be some of ${TOPICS.join(", ")}` }]);
    const last = header("Last-Event-ID");
    if (!/^\d{0,15}$/.test(last))
      throw invalid([{ field: "Last-Event-ID", message: "must be the id of an event of this stream" }]);
    checkTaskType(services.settings, query.task_type);
    const row = await services.reads.account(account);
    if (row?.status === "SUSPENDED") throw accountSuspended();
    if (row?.status === "FROZEN") throw problemOf(FROZEN);
    const taskType = query.task_type ?? null;
    const since = last === "" ? null : Number(last);
    const works = row !== undefined && mayWork(row.status);
    const body = services.feed.open({ account, keyHash, address, topics, taskType, since, works });
    if (typeof body === "string") {
      throw new Problem(429, "TOO_MANY_STREAMS", TOO_MANY[body], { retryAfter: RETRY_AFTER_S });
    }
    return { status: 200, body };
  },
);

export const eventRoutes = [stream];
