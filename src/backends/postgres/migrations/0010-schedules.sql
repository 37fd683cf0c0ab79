create type {schema}.schedule_state as enum ('active', 'paused', 'deleted');

-- A firing writes the row anew, so vacuum comes often: whoever looks for what is due steps over what has gone on since.
create table {schema}.schedules (
  id uuid primary key,
  -- In the order in which they were made.
  number bigint generated always as identity,
  name text collate "C" not null,
  state {schema}.schedule_state not null,
  -- That of its jobs.
  lane int not null,
  next_run_at float8,
  last_run_at float8,
  last_job_id uuid,
  revision int not null,
  created_at float8 not null,
  updated_at float8 not null,
  cron text not null,
  timezone text not null,
  catch_up text not null,
  catch_up_limit int not null,
  overlap text not null,
  max_attempts int not null,
  -- As in jobs.
  options jsonb,
  args_is_json boolean not null,
  args bytea not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
create unique index schedules_live_name on {schema}.schedules (name) where state <> 'deleted';
create index schedules_name on {schema}.schedules (name, number);
-- Lists in their order; the active ones that have something to come are those that become due.
create index schedules_listed on {schema}.schedules (state, next_run_at, id);

-- p_commit is what synchronous_commit is to be for the transaction, null to leave it as it is.

-- Stores a schedule, active. The row of p_id, or of the one that has the name.
create function {schema}.create_schedule(
  p_id uuid, p_name text, p_next_run_at float8, p_lane int, p_cron text, p_timezone text, p_catch_up text,
  p_catch_up_limit int, p_overlap text, p_max_attempts int, p_options jsonb, p_is_json boolean, p_args bytea, p_commit text
) returns setof {schema}.schedules language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  v_now float8 := {schema}.clock_ms();
begin
  if p_commit is not null then perform set_config('synchronous_commit', p_commit, true); end if;
  loop
    return query
      insert into {schema}.schedules (id, name, state, lane, next_run_at, revision, created_at, updated_at, cron, timezone,
        catch_up, catch_up_limit, overlap, max_attempts, options, args_is_json, args)
      values (p_id, p_name, 'active', p_lane, p_next_run_at, 1, v_now, v_now, p_cron, p_timezone,
        p_catch_up, p_catch_up_limit, p_overlap, p_max_attempts, p_options, p_is_json, p_args)
      on conflict do nothing
      returning *;
    exit when found;
    return query select * from {schema}.schedules s where s.id = p_id;
    if not found then
      return query select * from {schema}.schedules s where s.name = p_name and s.state <> 'deleted';
    end if;
    -- Where neither is there, the one that had the name was deleted just now, and the name is free.
    if found then
      -- As in enqueue_jobs: what is there is told only once it is wherever it has to be.
      perform pg_logical_emit_message(true, 'reseolio', '');
      exit;
    end if;
  end loop;
end $$;

-- Replaces what a schedule says, if it has p_revision: 'changed'. Otherwise what is stored and whether that is the next
-- revision with the 'same' content, as a repeat of this call finds it, or a 'conflict'. No row: there is none.
create function {schema}.update_schedule(
  p_id uuid, p_revision int, p_state {schema}.schedule_state, p_next_run_at float8, p_lane int, p_cron text, p_timezone text,
  p_catch_up text, p_catch_up_limit int, p_overlap text, p_max_attempts int, p_options jsonb, p_is_json boolean, p_args bytea,
  p_commit text
) returns table (status text, schedule {schema}.schedules) language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  v_stored {schema}.schedules;
begin
  if p_commit is not null then perform set_config('synchronous_commit', p_commit, true); end if;
  update {schema}.schedules s set state = p_state, next_run_at = p_next_run_at, lane = p_lane, revision = s.revision + 1,
    updated_at = {schema}.clock_ms(), cron = p_cron, timezone = p_timezone, catch_up = p_catch_up,
    catch_up_limit = p_catch_up_limit, overlap = p_overlap, max_attempts = p_max_attempts, options = p_options,
    args_is_json = p_is_json, args = p_args
  where s.id = p_id and s.revision = p_revision and s.state <> 'deleted'
  returning s.* into v_stored;
  if found then
    return query select 'changed', v_stored;
    return;
  end if;
  select s.* into v_stored from {schema}.schedules s where s.id = p_id;
  if not found then return; end if;
  if (v_stored.revision, v_stored.state, v_stored.next_run_at, v_stored.lane, v_stored.cron, v_stored.timezone,
      v_stored.catch_up, v_stored.catch_up_limit, v_stored.overlap, v_stored.max_attempts, v_stored.options,
      v_stored.args_is_json, v_stored.args)
    is not distinct from (p_revision + 1, p_state, p_next_run_at, p_lane, p_cron, p_timezone,
      p_catch_up, p_catch_up_limit, p_overlap, p_max_attempts, p_options, p_is_json, p_args)
  then
    perform pg_logical_emit_message(true, 'reseolio', '');
    return query select 'same', v_stored;
  elsif v_stored.state <> 'deleted' then
    return query select 'conflict', v_stored;
  end if;
end $$;

-- A schedule by its id (null: the text that it was asked by is none); else the one of the name that is not deleted; else
-- the one of it that was made last.
create function {schema}.get_schedule(p_id uuid, p_name text) returns setof {schema}.schedules language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return query select * from {schema}.schedules s where s.id = p_id;
  if found then return; end if;
  return query select * from {schema}.schedules s where s.name = p_name and s.state <> 'deleted';
  if found then return; end if;
  return query select * from {schema}.schedules s where s.name = p_name order by s.number desc limit 1;
end $$;

-- A page of the schedules in p_states.
create function {schema}.list_schedules(p_states {schema}.schedule_state[], p_limit int, p_offset int)
returns setof {schema}.schedules language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off as $$
begin
  return query
    select * from {schema}.schedules s where s.state = any(p_states)
    order by s.state, s.next_run_at, s.id limit p_limit offset p_offset;
end $$;

-- How many schedules are in p_states.
create function {schema}.count_schedules(p_states {schema}.schedule_state[]) returns bigint language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
begin
  return (select count(*) from {schema}.schedules s where s.state = any(p_states));
end $$;

-- Up to p_limit active schedules that are due, the earliest first. A row for each, then one with no id that holds the time
-- in created_at and in next_run_at the time until the next of the others is due, null if there is none.
create function {schema}.list_due_schedules(p_limit int) returns setof {schema}.schedules language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off as $$
declare
  v_now float8 := {schema}.clock_ms();
  v_due int;
  v_last {schema}.schedules;
begin
  return query
    select * from {schema}.schedules s where s.state = 'active' and s.next_run_at <= v_now
    order by s.next_run_at, s.id limit p_limit;
  get diagnostics v_due = row_count;
  v_last.created_at := v_now;
  v_last.next_run_at := (
    select greatest(s.next_run_at - v_now, 0) from {schema}.schedules s
    where s.state = 'active' and s.next_run_at is not null order by s.next_run_at, s.id offset v_due limit 1);
  return next v_last;
end $$;

-- Fires schedules. A row for each, by its place from 1, that has the revision still; somebody else is at those that are
-- locked. The jobs of a firing are those from p_first_jobs up to p_last_jobs in p_job_ids and p_due_ats.
--
-- It waits for no lock, so it is part of no deadlock. Whether the last job has ended is read before the row is locked, and
-- holds nonetheless: a row that was written since has another revision.
create function {schema}.fire_schedules(
  p_ids uuid[], p_revisions int[], p_next_run_ats float8[], p_first_jobs int[], p_last_jobs int[],
  p_job_ids uuid[], p_due_ats float8[], p_commit text
) returns table (place int, lane int, is_overlapped boolean) language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set enable_indexonlyscan = off set jit = off as $$
#variable_conflict use_column
declare
  v_now float8 := {schema}.clock_ms();
begin
  if p_commit is not null then perform set_config('synchronous_commit', p_commit, true); end if;
  return query
    with locked as materialized (
      select s.id, s.lane, s.max_attempts, s.options, s.args_is_json, s.args,
        g.next_run_at, g.first_job, g.last_job, g.place,
        s.overlap = 'skip' and exists (select from {schema}.queue q where q.id = any(array[s.last_job_id])) as is_overlapped
      from unnest(p_ids, p_revisions, p_next_run_ats, p_first_jobs, p_last_jobs) with ordinality
          as g(id, revision, next_run_at, first_job, last_job, place)
        join {schema}.schedules s on s.id = any(array[g.id]) and s.revision = g.revision
          and s.state is not distinct from 'active'
      order by g.place for update of s skip locked
    ), given as materialized (
      select o.*, nextval('{schema}.enqueue_order') as seq
      from (
        select j.id, j.due_at, l.id as schedule_id, l.lane, l.max_attempts, l.options, l.args_is_json, l.args
        from locked l cross join lateral
          unnest(p_job_ids[l.first_job : l.last_job], p_due_ats[l.first_job : l.last_job]) with ordinality
            as j(id, due_at, place)
        where not l.is_overlapped
        order by l.place, j.place) o
    ), added as (
      insert into {schema}.jobs (id, seq, created_at, due_at, lane, max_attempts, args_is_json, options, args,
        schedule_id, occurrence_at)
      select id, seq, v_now, due_at, lane, max_attempts, args_is_json, options, args, schedule_id, due_at from given
      on conflict do nothing
      returning id, seq, due_at, lane
    ), queued as (
      insert into {schema}.queue (id, run_at, seq, lane, is_late)
      select id, due_at, seq, lane, due_at < {schema}.horizon(v_now) from added
    ), counted as (
      insert into {schema}.counts (name_id, pending) select lane >> 8, count(*) from added group by 1
    ), fired as (
      update {schema}.schedules s set next_run_at = l.next_run_at, revision = s.revision + 1,
        last_run_at = coalesce(l.last_run_at, s.last_run_at), last_job_id = coalesce(l.last_job_id, s.last_job_id)
      from (
        select id, next_run_at, p_job_ids[made] as last_job_id, p_due_ats[made] as last_run_at
        from (
          select id, next_run_at, case when last_job >= first_job and not is_overlapped then last_job end as made
          from locked) n) l
      where s.id = any(array[l.id])
    )
    select place::int, lane, is_overlapped from locked;
end $$;
