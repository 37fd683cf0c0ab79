-- Cancels those of the jobs that are pending, and asks those that are running to stop if they are included. A row for each:
-- its id, its lane and its state. Rows without an id have the lanes of jobs that were woken. No row but one of nulls: call
-- again.
create function {schema}.cancel(p_ids uuid[], p_is_running_included boolean)
returns table (id uuid, lane int, state text) language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_indexonlyscan = off as $$
#variable_conflict use_column
declare
  v_locked uuid[] := {schema}.lock_ending(p_ids);
  v_now float8;
begin
  if v_locked is null then
    return query select null::uuid, null::int, null::text;
    return;
  end if;
  v_now := {schema}.clock_ms();
  return query
    with ended as (
      delete from {schema}.queue q using unnest(v_locked) g(id) where q.id = any(array[g.id]) and q.expires_at is null
      returning q.*
    ), finished as (
      insert into {schema}.finished (id, finished_at, run_at, started_at, state, lane, attempt, settled_attempt,
        settled_token, worker_id, error, step_count, signal_count)
      select id, v_now, run_at, started_at, 'cancelled', lane, attempt, settled_attempt, settled_token, worker_id, error,
        step_count, signal_count
      from ended
    ), counted as (
      insert into {schema}.counts (name_id, pending, cancelled) select lane >> 8, -count(*), count(*) from ended group by 1
    )
    select id, lane, 'cancelled' from ended;
  return query select null::uuid, w.lane, 'pending' from {schema}.wake_waiters(v_locked, v_now) w(lane);
  if p_is_running_included then
    return query
      update {schema}.queue q set is_cancel_requested = true
      from unnest(v_locked) g(id) where q.id = any(array[g.id]) and q.expires_at is not null
      returning q.id, q.lane, 'running';
  end if;
end $$;

-- Puts those of the jobs that are dead back to pending, with what they remember and were sent. A row for each, as cancel has.
-- Callers sort the ids.
create function {schema}.retry(p_ids uuid[]) returns table (id uuid, lane int, state text) language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_indexonlyscan = off as $$
#variable_conflict use_column
declare
  v_now float8 := {schema}.clock_ms();
begin
  return query
    with dead as (
      delete from {schema}.finished f using unnest(p_ids) g(id) where f.id = any(array[g.id]) and f.state = 'dead'
      returning f.id, f.settled_attempt, f.settled_token, f.step_count, f.signal_count
    ), returned as (
      insert into {schema}.queue (id, run_at, seq, lane, is_late, settled_attempt, settled_token, step_count, signal_count)
      select j.id, v_now, j.seq, j.lane, false, dead.settled_attempt, dead.settled_token, dead.step_count, dead.signal_count
      from dead join {schema}.jobs j on j.id = any(array[dead.id])
      returning id, lane
    ), counted as (
      insert into {schema}.counts (name_id, pending, dead) select lane >> 8, count(*), -count(*) from returned group by 1
    )
    select id, lane, 'pending' from returned;
end $$;
