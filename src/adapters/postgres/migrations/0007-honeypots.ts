/** Templates of honeypots, and what was minted for honeypots on each day. */
export const sql = `
create table honeypot_templates (
  id uuid primary key,
  at bigint not null,
  template json not null
);
create table honeypot_days (
  -- UTC.
  day date primary key,
  -- NC.
  minted bigint not null
);
`;
