/** What the rest of the guide needs: credit and debt, identities. */
export const sql = `
alter table accounts
  add column debt_since bigint,
  add column marks text[] not null default '{}';
create index accounts_marks on accounts using gin (marks);
alter table tasks add column marks text[] not null default '{}';
update accounts set tally = (tally::jsonb || '{"honeypotsPassed": 0, "honeypotsFailed": 0}')::json;
`;
