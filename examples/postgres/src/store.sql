-- The table of locks. Its versions are numbers of one sequence, so that none ever comes again: a counter
-- in the row would begin anew when somebody deletes it, and a late compare-and-swap could succeed.
-- The sequence has no cache (the default): a session that draws numbers in advance writes them too late.
-- Whoever changes a row by hand gives it a new version, too, as each write does.
create sequence if not exists tenure_versions;
create table if not exists tenure_locks (
    name text primary key,
    version bigint not null default nextval('tenure_versions'),
    body text not null
);
