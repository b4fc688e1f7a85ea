/** Members of a cluster and the owners of shards; which of the platform's databases this one is. */
export const sql = `
-- A row is one life of a node: who is declared dead, or leaves, loses it, and comes back under a new id.
create table members (
  id uuid primary key,
  node text not null,
  weight double precision not null check (weight > 0),
  draining boolean not null default false,
  version text not null,
  started timestamptz not null default now(),
  beat timestamptz not null default now(),
  stats json not null
) with (fillfactor = 50);

-- The epoch counts the owners that a shard has had.
create table shards (
  shard smallint primary key,
  owner uuid,
  epoch integer not null default 0
) with (fillfactor = 50);

-- Of several databases each holds the shards whose number modulo \`places\` is its \`place\`.
alter table platform
  add column place smallint not null default 0,
  add column places smallint not null default 1,
  add check (place >= 0 and place < places and places <= shards);

-- The second fence, beside the journal's key. Every commit of a member shares a lock on its row, and whoever declares it
-- dead deletes that row: so the commit is there before its shards are taken over, where the next owner reads it, or never.
create function require_member(member uuid) returns void language plpgsql as $$
begin
  perform 1 from members where id = member for key share;
  if not found then
    raise exception 'this node is no member any more' using errcode = 'NX001';
  end if;
end $$;

create index timers_shard on timers (shard, entity, name);
create index outbox_shard on outbox (shard, sender, seq, leg);
`;
