/** What the rest of the guide needs: credit and debt, identities, capabilities, the operators' log. */
export const sql = `
alter table accounts
  add column debt_since bigint,
  add column customer text,
  add column github json,
  add column marks text[] not null default '{}';
create index accounts_marks on accounts using gin (marks);
alter table tasks add column marks text[] not null default '{}';

create table capabilities (
  shard smallint not null,
  id uuid primary key,
  account uuid not null,
  task_type text not null,
  description text not null,
  tags text[] not null,
  price bigint,
  concurrency integer not null,
  available boolean not null,
  -- Whether its owner may take work now.
  active boolean not null,
  score double precision not null,
  tier smallint not null,
  quality double precision not null,
  finished integer not null,
  created_at bigint not null
) with (fillfactor = 60);
create index capabilities_account on capabilities (account);
create index capabilities_standing on capabilities (task_type, price) where available and active and price is not null;

create table actions (
  id uuid primary key,
  at bigint not null,
  action text not null,
  target uuid not null,
  detail json not null,
  outcome text
);
create table honeypots (
  id uuid primary key,
  at bigint not null,
  task json not null
);
create index actions_at on actions (at desc, id desc);

update accounts set tally = (tally::jsonb || '{"honeypotsPassed": 0, "honeypotsFailed": 0}')::json;
`;
