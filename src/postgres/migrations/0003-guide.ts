/** What the rest of the guide needs: credit and debt. */
export const sql = `
alter table accounts add column debt_since bigint;
update accounts set tally = (tally::jsonb || '{"honeypotsPassed": 0, "honeypotsFailed": 0}')::json;
`;
