/** What lists of any size are read by: each in its order, for what narrows it down most. */
import type { Index } from "../indexes.ts";

const OPEN = "where status in ('ROUTING', 'PENDING_POOL')";

export const indexes: readonly Index[] = [
  // Open tasks of a type and a wanted tier, so that those for higher tiers are never looked at; by age and by what they pay.
  { name: "tasks_by_age", table: "tasks", of: `(task_type, min_skill, created_at, id) ${OPEN}` },
  { name: "tasks_by_budget", table: "tasks", of: `(task_type, min_skill, (-budget), created_at, id) ${OPEN}` },
  // An account's tasks of a status, the newest first.
  { name: "tasks_by_requester", table: "tasks", of: "(requester, status, created_at desc, id desc)" },
  { name: "tasks_by_worker", table: "tasks", of: "(worker, status, created_at desc, id desc) where worker is not null" },
  // Capabilities of a type, in each order in which they are browsed; without a price they come after those with one.
  { name: "capabilities_by_score", table: "capabilities", of: "(task_type, (-score), id)" },
  { name: "capabilities_by_price", table: "capabilities", of: "(task_type, (coalesce(price, 1000000000000000)), id)" },
  { name: "capabilities_by_finished", table: "capabilities", of: "(task_type, (-finished), id)" },
];

/** Run once the new ones are there: they do what these did. */
export const sql = `
drop index tasks_open;
drop index tasks_requester;
drop index tasks_worker;
`;
