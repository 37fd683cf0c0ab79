-- Adds what is missing of the lanes of (name, priority) pairs. One caller at a time: see lanes.
create function {schema}.add_lanes(p_names text[], p_priorities smallint[], p_lock_timeout_ms int) returns void
language plpgsql as $$
begin
  if p_lock_timeout_ms is not null then perform set_config('lock_timeout', p_lock_timeout_ms::text, true); end if;
  lock table {schema}.lanes in share row exclusive mode;
  insert into {schema}.names (name) select distinct unnest(p_names) on conflict do nothing;
  insert into {schema}.lanes (id)
  select distinct n.id * 256 + 100 - given.priority
  from unnest(p_names, p_priorities) given(name, priority) join {schema}.names n on n.name = given.name
  on conflict do nothing;
end $$;

-- The ids of lanes, by name and priority. Those that are missing are added; until the transaction ends, others who add
-- some wait for it.
create function {schema}.lanes_of(p_names text[], p_priorities smallint[]) returns int[] language plpgsql as $$
declare
  v_lanes int[];
begin
  for i in 1 .. 2 loop
    v_lanes := array(
      select l.id from unnest(p_names, p_priorities) with ordinality given(name, priority, place)
        left join {schema}.names n on n.name = given.name
        left join {schema}.lanes l on l.id = n.id * 256 + 100 - given.priority
      order by given.place);
    exit when array_position(v_lanes, null) is null;
    perform {schema}.add_lanes(p_names, p_priorities, null);
  end loop;
  return v_lanes;
end $$;

-- p_commit and p_lock_timeout_ms are what synchronous_commit and lock_timeout are to be for the transaction, null to leave
-- them as they are.

-- Stores one job: what a lone call takes the least time for. False if its id or its key is known; enqueue_jobs then tells which.
create function {schema}.enqueue_job(
  p_id uuid, p_lane int, p_delay float8, p_run_at float8, p_max_attempts int, p_options jsonb, p_key bytea,
  p_is_json boolean, p_args bytea, p_commit text, p_lock_timeout_ms int
) returns boolean language plpgsql as $$
declare
  v_now float8 := {schema}.clock_ms();
  v_due_at float8 := coalesce(v_now + p_delay, p_run_at, v_now);
  v_seq bigint := nextval('{schema}.enqueue_order');
begin
  if p_commit is not null then perform set_config('synchronous_commit', p_commit, true); end if;
  if p_lock_timeout_ms is not null then perform set_config('lock_timeout', p_lock_timeout_ms::text, true); end if;
  insert into {schema}.jobs (id, seq, created_at, due_at, lane, max_attempts, args_is_json, options, idempotency_key, args)
  values (p_id, v_seq, v_now, v_due_at, p_lane, p_max_attempts, p_is_json, p_options, p_key, p_args)
  on conflict do nothing;
  if not found then return false; end if;
  insert into {schema}.queue (id, run_at, seq, lane, is_late)
  values (p_id, v_due_at, v_seq, p_lane, v_due_at < {schema}.horizon(v_now));
  insert into {schema}.counts (name_id, pending) values (p_lane >> 8, 1);
  return true;
end $$;

-- Stores jobs, all or none. Answers for those jobs only that had been enqueued before under their idempotency key: the
-- place in the batch, from 1, and the job that has the key. p_args holds the arguments of all jobs one after the other.
-- p_parents are the jobs of which they are children, null if they are nobody's.
create function {schema}.enqueue_jobs(
  p_ids uuid[], p_lanes int[], p_delays float8[], p_run_ats float8[], p_max_attempts int[], p_options jsonb[],
  p_keys bytea[], p_is_json boolean[], p_arg_starts int[], p_arg_lengths int[], p_args bytea, p_commit text, p_lock_timeout_ms int,
  p_parents uuid[] default null
) returns table (place int, job_id uuid) language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set enable_indexonlyscan = off set jit = off as $$
#variable_conflict use_column
declare
  v_now float8 := {schema}.clock_ms();
  v_added int;
  v_places int[];
  v_job_ids uuid[];
  v_is_free boolean;
begin
  if p_commit is not null then perform set_config('synchronous_commit', p_commit, true); end if;
  if p_lock_timeout_ms is not null then perform set_config('lock_timeout', p_lock_timeout_ms::text, true); end if;
  loop
    -- Sorted by what is unique, so that concurrent batches with the same keys wait for each other in one order.
    with given as materialized (
      select g.*, nextval('{schema}.enqueue_order') as seq
      from unnest(p_ids, p_lanes, p_delays, p_run_ats, p_max_attempts, p_options, p_keys, p_is_json, p_arg_starts, p_arg_lengths,
          p_parents)
        as g(id, lane, delay, run_at, max_attempts, options, key, is_json, arg_start, arg_length, parent_id)
    ), added as (
      insert into {schema}.jobs (id, seq, created_at, due_at, lane, max_attempts, args_is_json, options, idempotency_key, args,
        parent_id)
      select id, seq, v_now, coalesce(v_now + delay, run_at, v_now), lane, max_attempts, is_json, options, key,
        substring(p_args from arg_start for arg_length), parent_id
      from given order by key, lane >> 8, id
      on conflict do nothing
      returning id, seq, due_at, lane
    ), queued as (
      insert into {schema}.queue (id, run_at, seq, lane, is_late)
      select id, due_at, seq, lane, due_at < {schema}.horizon(v_now) from added
    ), counted as (
      insert into {schema}.counts (name_id, pending) select lane >> 8, count(*) from added group by 1
    )
    select count(*) into v_added from added;
    exit when v_added = cardinality(p_ids);

    -- Some were known: by their id, which is a repeat of this call, or by their key. A job that had the key may be gone
    -- again by now, pruned or rolled back: then the key is free.
    select array_agg(g.place), array_agg(k.id), bool_or(k.id is null) into v_places, v_job_ids, v_is_free
    from unnest(p_ids, p_lanes, p_keys) with ordinality as g(id, lane, key, place)
      left join {schema}.jobs j on j.id = any(array[g.id])
      left join lateral (
        select k.id from {schema}.jobs k where k.lane >> 8 = g.lane >> 8 and k.idempotency_key = g.key offset 0) k on true
    where j.id is null;
    if v_is_free is not true then
      -- What is there may not be on all standbys that it has to be on, if the wait of its commit was cut short. A commit
      -- waits only if it has something to write, and then for all before it as well.
      perform pg_logical_emit_message(true, 'reseolio', '');
      return query select * from unnest(v_places, v_job_ids);
      exit;
    end if;
  end loop;
end $$;
