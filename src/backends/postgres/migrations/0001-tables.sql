-- Where a job is tells its state: jobs that are pending or running have a row in queue, those that have ended one in
-- finished. What a call said is in jobs, written once. Docs: docs/adr/0005.

-- The clock that due times and leases go by: whole milliseconds since the epoch. Tests put a clock of theirs in its place.
create function {schema}.clock_ms() returns float8 language sql volatile
as $$ select floor(date_part('epoch', clock_timestamp()) * 1000) $$;

-- A job that becomes pending while it has been due since before the horizon is late: claims look for it in an index of
-- its own, and begin in the other where they left off, at the horizon at the latest (docs/adr/0006).
create function {schema}.horizon(p_now float8) returns float8 language sql immutable
as $$ select p_now - 1000 $$;

-- When a suspended job is due that no time wakes, as NEVER_DUE in src/core/options.ts.
create function {schema}.never_due() returns float8 language sql immutable
as $$ select 7258118400000::float8 $$;

create table {schema}.names (
  id int generated always as identity primary key,
  name text collate "C" not null unique
);

-- A lane is one order of claims: the jobs of one name and one priority. Its id is name_id * 256 + 100 - priority, so the
-- lanes of a name are neighbours, the best first. Rows are added under a lock, so that number grows with each commit and
-- its maximum tells whether a list of lanes is complete.
create table {schema}.lanes (
  id int primary key,
  number int generated always as identity unique
);

create sequence {schema}.enqueue_order;

create table {schema}.jobs (
  id uuid primary key,
  seq bigint not null,
  created_at float8 not null,
  due_at float8 not null,
  lane int not null,
  max_attempts int not null,
  args_is_json boolean not null,
  -- The other options, as far as they are not the defaults.
  options jsonb,
  idempotency_key bytea,
  args bytea not null,
  -- The occurrence that the job is for, if a schedule made it.
  schedule_id uuid,
  occurrence_at float8,
  -- The job whose handler called this one.
  parent_id uuid
);
create unique index jobs_key on {schema}.jobs ((lane >> 8), idempotency_key) where idempotency_key is not null;
create index jobs_created on {schema}.jobs (created_at, seq);
create index jobs_children on {schema}.jobs (parent_id, created_at, seq) where parent_id is not null;

-- Small rows, and few of them: claims, leases and retries touch this table and no other.
create table {schema}.queue (
  id uuid primary key,
  run_at float8 not null,
  seq bigint not null,
  lane int not null,
  attempt smallint not null default 0,
  is_late boolean not null,
  -- It is running, and was asked to stop.
  is_cancel_requested boolean not null default false,
  settled_attempt smallint,
  -- Null while the job is pending, as expires_at is then; running under this token until expires_at. A statement that looks up
  -- jobs by id asks about expires_at: where it says something about the token, the planner may read all of queue_pending or
  -- queue_running instead.
  token uuid,
  expires_at float8,
  started_at float8,
  settled_token uuid,
  worker_id text,
  error json,
  -- How much it remembers and was sent; null: nothing.
  step_count int,
  signal_count int,
  -- Not null while the job is suspended, and in the attempt that goes on with it: the jobs that wake it. Signals do so once it
  -- has more than signals_seen.
  awaits uuid[],
  signals_seen int,
  -- Whether it may be awaited, or await, by a row of waiters. Both stay until it ends.
  is_awaited boolean not null default false,
  has_awaited boolean not null default false
) with (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
  autovacuum_analyze_scale_factor = 0.2, autovacuum_analyze_threshold = 20000
);
create index queue_pending on {schema}.queue (lane, run_at, seq) where token is null;
create index queue_late on {schema}.queue (lane, run_at, seq) where token is null and is_late;
create index queue_running on {schema}.queue (expires_at) where token is not null;

-- Who is suspended and awaits which job, and maybe who was: a row lasts until one of the two ends, or the waiter is suspended
-- anew without it. Written under the locks of both in queue; deleted under that of either, where nobody else deletes it.
create table {schema}.waiters (
  awaited_id uuid not null,
  waiter_id uuid not null,
  primary key (awaited_id, waiter_id)
) with (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
  autovacuum_analyze_scale_factor = 0.2, autovacuum_analyze_threshold = 20000
);
-- Of another kind than the primary key, which could otherwise be taken, and read as a whole, to look up a waiter.
create index waiters_waiter on {schema}.waiters using hash (waiter_id);

create type {schema}.finished_state as enum ('success', 'dead', 'cancelled');

create table {schema}.finished (
  id uuid primary key,
  finished_at float8 not null,
  run_at float8 not null,
  started_at float8,
  state {schema}.finished_state not null,
  lane int not null,
  attempt smallint not null,
  settled_attempt smallint,
  result_is_json boolean,
  settled_token uuid,
  worker_id text,
  error json,
  result bytea,
  -- As in queue.
  step_count int,
  signal_count int
);
create index finished_state on {schema}.finished (state, finished_at);

-- Attempts that failed or were lost, the last 20 of each job.
create table {schema}.attempts (
  job_id uuid not null,
  seq bigint generated always as identity,
  attempt smallint not null,
  is_lost boolean not null,
  started_at float8 not null,
  ended_at float8 not null,
  worker_id text not null,
  error json not null,
  primary key (job_id, seq)
);

create function {schema}.trim_attempts() returns trigger language plpgsql set enable_seqscan = off as $$
begin
  delete from {schema}.attempts
  where job_id = new.job_id
    and seq <= (select seq from {schema}.attempts where job_id = new.job_id order by seq desc offset 20 limit 1);
  return null;
end $$;
create trigger attempts_trim after insert on {schema}.attempts
for each row execute function {schema}.trim_attempts();

-- Sums over all rows are the numbers of jobs. Every change adds a row, since one row that all changes update would make
-- them wait for each other; fold_counts puts many rows into one.
create table {schema}.counts (
  name_id int not null,
  pending bigint not null default 0,
  running bigint not null default 0,
  success bigint not null default 0,
  dead bigint not null default 0,
  cancelled bigint not null default 0
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 0);
