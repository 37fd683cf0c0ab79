-- Moves the expiry of leases that are held to p_lease_ms from now; the places, from 1, of those. Callers sort by id.
create function {schema}.extend_leases(p_ids uuid[], p_attempts int[], p_tokens uuid[], p_lease_ms float8)
returns setof int language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  -- An extension that is lost with the server costs a job that runs twice at the worst, as the crash itself does.
  perform set_config('synchronous_commit', 'off', true);
  return query
    update {schema}.queue q set expires_at = {schema}.clock_ms() + p_lease_ms
    from unnest(p_ids, p_attempts, p_tokens) with ordinality g(id, attempt, token, place)
    where q.id = g.id and q.token = g.token and q.attempt = g.attempt
    returning g.place::int;
end $$;

-- Takes back up to p_limit jobs whose lease has expired, oldest expiry first. A row for each, then one with no id that
-- has the time until the next lease expires in wait_ms, null if none is held.
create function {schema}.reclaim_expired(p_limit int)
returns table (id uuid, lane int, attempt smallint, state text, wait_ms float8) language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off
set enable_mergejoin = off as $$
#variable_conflict use_column
declare
  v_now float8 := {schema}.clock_ms();
  v_expired uuid[];
begin
  v_expired := array(
    select q.id from {schema}.queue q where q.token is not null and q.expires_at <= v_now
    order by q.expires_at, q.seq limit p_limit for update skip locked);
  if v_expired <> '{}' then
    return query
      with lost as (
        select q.id, j.max_attempts > q.attempt as is_left, json_build_object(
          'name', 'AttemptLostError',
          'message', 'worker ' || q.worker_id || ' was lost: its lease expired before the attempt ended',
          'stack', null) as error, e.place
        from unnest(v_expired) with ordinality e(id, place)
          join {schema}.queue q on q.id = e.id join {schema}.jobs j on j.id = e.id
      ), returned as (
        update {schema}.queue q set token = null, expires_at = null, run_at = v_now, is_late = false, error = lost.error
        from lost where q.id = lost.id and lost.is_left
        returning q.*, lost.place
      ), ended as (
        delete from {schema}.queue q using lost where q.id = lost.id and not lost.is_left
        returning q.id, q.run_at, q.lane, q.attempt, q.settled_attempt, q.settled_token, q.started_at, q.worker_id,
          lost.error, lost.place
      ), finished as (
        insert into {schema}.finished (id, finished_at, run_at, started_at, state, lane, attempt, settled_attempt,
          settled_token, worker_id, error)
        select id, v_now, run_at, started_at, 'dead', lane, attempt, settled_attempt, settled_token, worker_id, error
        from ended
      ), reclaimed as (
        select id, lane, attempt, started_at, worker_id, error, place, 'pending' as state from returned
        union all
        select id, lane, attempt, started_at, worker_id, error, place, 'dead' from ended
      ), recorded as (
        insert into {schema}.attempts (job_id, attempt, is_lost, started_at, ended_at, worker_id, error)
        select id, attempt, true, started_at, v_now, worker_id, error from reclaimed
      ), counted as (
        insert into {schema}.counts (name_id, running, pending, dead)
        select lane >> 8, -count(*), count(*) filter (where state = 'pending'), count(*) filter (where state = 'dead')
        from reclaimed group by 1
      )
      select id, lane, attempt, state, null::float8 from reclaimed order by place;
  end if;
  return query select null::uuid, null::int, null::smallint, null::text, (
    select greatest(q.expires_at - v_now, 0) from {schema}.queue q where q.token is not null order by q.expires_at limit 1);
end $$;
