/** What became of each bid, for its worker. */
export const sql = `
create table bids (
  -- Of the task.
  shard smallint not null,
  id uuid primary key,
  task uuid not null,
  task_type text not null,
  worker uuid not null,
  credits bigint not null,
  via text not null,
  status text not null,
  reason json,
  placed_at bigint not null,
  updated_at bigint not null
) with (fillfactor = 80);
create index bids_worker on bids (worker, status, placed_at desc, id desc);
`;
