/** What members read, and what they have agreed to write. */
export const sql = `
-- { formats: a number for each entity, schema: [lowest, highest] of the migrations it works with }; null for members of before.
alter table members add column reads json;

-- A number for each entity: what all members read when it was raised. Never lowered, because what was written stays.
-- Code must know the schema of this number; later migrations that it does not know leave it working.
alter table platform
  add column formats json not null default '{}',
  add column schema_needed smallint not null default 4;

-- Before there were formats, these entities had their first.
create function format_read(reads json, entity text) returns integer language sql immutable as $$
  select coalesce((reads -> 'formats' ->> entity)::integer, case when reads is null and entity in ('task', 'account', 'batch') then 1 else 0 end)
$$;

-- Records formats if all members read them. Nobody joins meanwhile: whoever did before is seen, and whoever does after it
-- sees them. Two statements in one function, because the second must see what was committed while the first one waited.
create function raise_formats(wanted json) returns void language plpgsql as $$
begin
  perform 1 from platform for update;
  if exists (select from members, json_each_text(wanted) w where format_read(reads, w.key) < w.value::integer) then
    return;
  end if;
  update platform set formats = (
    select json_object_agg(key, value) from (
      select key, max(value::integer) as value
      from (select * from json_each_text(platform.formats) union all select * from json_each_text(wanted)) both_of
      group by key
    ) highest
  );
end $$;

create function require_current(reads json, version text) returns void language plpgsql as $$
declare
  agreed json;
  needed integer;
  newer text;
begin
  select formats, schema_needed into agreed, needed from platform for share;
  if needed > coalesce((reads -> 'schema' ->> 1)::integer, 3) then
    raise exception 'This database has schema %, which NexusToken % does not know. Update this node, or restore a backup from before the update.', needed, version
      using errcode = 'NX002';
  end if;
  select string_agg(key || ' ' || value, ', ' order by key) into newer
    from json_each_text(agreed) where format_read(reads, key) < value::integer;
  if newer is not null then
    raise exception 'This database has been written in formats that NexusToken % does not read (%). Update this node, or restore a backup from before the update.', version, newer
      using errcode = 'NX002';
  end if;
end $$;

create function admit_member() returns trigger language plpgsql as $$
begin
  perform require_current(new.reads, new.version);
  return new;
end $$;
create trigger admit_member before insert on members for each row execute function admit_member();
`;
