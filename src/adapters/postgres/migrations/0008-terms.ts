/** What a worker takes at least without a bid by hand. */
export const sql = `
alter table capabilities
  add column min_seconds integer not null default 10,
  add column min_requester_score double precision not null default 0;
`;
