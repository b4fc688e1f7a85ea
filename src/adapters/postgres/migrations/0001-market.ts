/** Journal, ledger, outbox, timers, snapshots, and the rows that lists are served from. */
export const sql = `
create table platform (
  one boolean primary key default true check (one),
  secret bytea not null,
  shards smallint not null check (shards > 0)
);

-- The primary key is the fence: of two writers only one can append number n + 1.
create table journal (
  shard smallint not null,
  kind text not null,
  entity uuid not null,
  seq integer not null check (seq > 0),
  type text not null,
  version smallint not null,
  body json not null,
  at bigint not null,
  cause uuid,
  part smallint not null,
  batch uuid not null,
  primary key (entity, seq)
);
-- A command leaves its facts once, however often it arrives.
create unique index journal_cause on journal (entity, cause) where part = 0 and cause is not null;

create table snapshots (
  entity uuid primary key,
  seq integer not null,
  state json not null
);

-- Double entry: every transfer's legs sum to 0. Rows are only ever added.
create table ledger (
  shard smallint not null,
  entity uuid not null,
  seq integer not null,
  leg smallint not null,
  transfer text not null,
  account text not null check (account in ('available', 'held', 'issuance', 'fees', 'transit')),
  owner uuid,
  amount bigint not null check (amount <> 0),
  task uuid,
  reason text not null,
  at bigint not null,
  primary key (entity, seq, leg)
);
create unique index ledger_transfer on ledger (transfer, leg);
create index ledger_task on ledger (task) where task is not null;

create table outbox (
  shard smallint not null,
  id uuid primary key,
  sender_kind text not null,
  sender uuid not null,
  seq integer not null,
  leg smallint not null,
  receiver_kind text not null,
  receiver uuid not null,
  command json not null,
  dead text
);

create table timers (
  shard smallint not null,
  kind text not null,
  entity uuid not null,
  name text not null,
  at bigint not null,
  primary key (entity, name)
);

create table tasks (
  shard smallint not null,
  id uuid primary key,
  status text not null,
  requester uuid not null,
  worker uuid,
  task_type text not null,
  budget bigint not null,
  min_skill smallint not null,
  closed_to uuid[] not null,
  awarded_price bigint,
  result json,
  error_code text,
  retries_left smallint not null,
  auto_retries_left smallint not null,
  expires_at bigint,
  created_at bigint not null,
  updated_at bigint not null
) with (fillfactor = 60);
create index tasks_requester on tasks (requester, created_at desc, id desc);
create index tasks_worker on tasks (worker, created_at desc, id desc) where worker is not null;
create index tasks_open on tasks (task_type, created_at, id) where status in ('ROUTING', 'PENDING_POOL');
create index tasks_settled on tasks (task_type, updated_at desc) where status = 'SETTLED';

create table accounts (
  shard smallint not null,
  id uuid primary key,
  email text not null unique,
  key_hash text not null unique,
  status text not null,
  available bigint not null,
  held bigint not null,
  reputation bigint not null,
  cooldown_until bigint,
  counterparties integer not null,
  tally json not null,
  records json not null,
  created_at bigint not null,
  updated_at bigint not null
) with (fillfactor = 50);
`;
