-- Moves the expiry of leases that are held to p_lease_ms from now. A row for each of those, by its place from 1. Callers sort
-- by id.
create function {schema}.extend_leases(p_ids uuid[], p_attempts int[], p_tokens uuid[], p_lease_ms float8)
returns table (place int, is_cancel_requested boolean) language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_indexonlyscan = off as $$
#variable_conflict use_column
begin
  -- An extension that is lost with the server costs a job that runs twice at the worst, as the crash itself does.
  perform set_config('synchronous_commit', 'off', true);
  return query
    update {schema}.queue q set expires_at = {schema}.clock_ms() + p_lease_ms
    from unnest(p_ids, p_attempts, p_tokens) with ordinality g(id, attempt, token, place)
    where q.id = any(array[g.id]) and q.token is not distinct from g.token and q.attempt = g.attempt
    returning g.place::int, q.is_cancel_requested;
end $$;

-- Takes back up to p_limit jobs whose lease has expired, oldest expiry first. A row for each; rows with nothing but the lane of
-- a job that was woken; then one that has the time until the next lease expires in wait_ms, null if none is held.
create function {schema}.reclaim_expired(p_limit int)
returns table (id uuid, lane int, attempt smallint, state text, wait_ms float8) language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off
set enable_mergejoin = off set enable_indexonlyscan = off as $$
#variable_conflict use_column
declare
  v_now float8 := {schema}.clock_ms();
  v_expired uuid[];
begin
  v_expired := array(
    select q.id from {schema}.queue q where q.token is not null and q.expires_at <= v_now
    order by q.expires_at, q.seq limit p_limit for update skip locked);
  v_expired := {schema}.lock_waiting(v_expired);
  if v_expired <> '{}' then
    return query
      with lost as (
        select q.id, e.place,
          case when q.is_cancel_requested then 'cancelled' when j.max_attempts > q.attempt then 'pending' else 'dead' end as state,
          json_build_object(
          'name', 'AttemptLostError',
          'message', 'worker ' || q.worker_id || ' was lost: its lease expired before the attempt ended',
          'stack', null) as error
        from unnest(v_expired) with ordinality e(id, place)
          join {schema}.queue q on q.id = any(array[e.id]) join {schema}.jobs j on j.id = any(array[e.id])
      ), returned as (
        update {schema}.queue q set token = null, expires_at = null, run_at = v_now, is_late = false, error = lost.error,
          awaits = null, signals_seen = null
        from lost where q.id = any(array[lost.id]) and lost.state = 'pending'
        returning q.*, lost.place
      ), ended as (
        delete from {schema}.queue q using lost where q.id = any(array[lost.id]) and lost.state <> 'pending'
        returning q.id, q.run_at, q.lane, q.attempt, q.settled_attempt, q.settled_token, q.started_at, q.worker_id,
          q.step_count, q.signal_count, lost.error, lost.state, lost.place
      ), finished as (
        insert into {schema}.finished (id, finished_at, run_at, started_at, state, lane, attempt, settled_attempt,
          settled_token, worker_id, error, step_count, signal_count)
        select id, v_now, run_at, started_at, state::{schema}.finished_state, lane, attempt, settled_attempt, settled_token,
          worker_id, error, step_count, signal_count
        from ended
      ), reclaimed as (
        select id, lane, attempt, started_at, worker_id, error, place, 'pending' as state from returned
        union all
        select id, lane, attempt, started_at, worker_id, error, place, state from ended
      ), recorded as (
        insert into {schema}.attempts (job_id, attempt, is_lost, started_at, ended_at, worker_id, error)
        select id, attempt, true, started_at, v_now, worker_id, error from reclaimed
      ), counted as (
        insert into {schema}.counts (name_id, running, pending, dead, cancelled)
        select lane >> 8, -count(*), count(*) filter (where state = 'pending'), count(*) filter (where state = 'dead'),
          count(*) filter (where state = 'cancelled')
        from reclaimed group by 1
      )
      select id, lane, attempt, state, null::float8 from reclaimed order by place;
    return query
      select null::uuid, w.lane, null::smallint, null::text, null::float8
      from {schema}.wake_waiters(v_expired, v_now) w(lane);
  end if;
  return query select null::uuid, null::int, null::smallint, null::text, (
    select greatest(q.expires_at - v_now, 0) from {schema}.queue q where q.token is not null order by q.expires_at limit 1);
end $$;

-- Locks those who wait for any of these jobs, which are locked, in an order of their own: so nobody is waited for. What is left
-- out of the answer has to be left to another call, since somebody else holds who waits for it.
create function {schema}.lock_waiting(p_ids uuid[]) returns uuid[] language plpgsql as $$
declare
  v_waiting uuid[] := {schema}.list_waiting(p_ids);
  v_missed uuid[];
begin
  if v_waiting = '{}' then return p_ids; end if;
  v_missed := array(
    select unnest(v_waiting)
    except
    select l.id from (select q.id from {schema}.queue q where q.id = any(v_waiting) for update skip locked) l);
  if v_missed = '{}' then return p_ids; end if;
  return array(
    select g.id from unnest(p_ids) with ordinality g(id, place)
    where not exists (select from {schema}.waiters v where v.awaited_id = any(array[g.id]) and v.waiter_id = any(v_missed))
    order by g.place);
end $$;
