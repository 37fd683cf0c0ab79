-- Ends attempts. p_outcomes are success, dead, retry or release; p_results holds the results one after the other, and
-- p_lengths the length of each (null: none). A row for each place, from 1, that is not lease_lost. Its state is 'apart' where
-- nothing was changed yet: the job is asked to stop, or others may wait for it, and settle_apart is to be called.
--
-- Callers sort by id and name each job once. With nested loops rows are locked in that order, here and wherever else a
-- statement waits for locks in queue, so no two of them wait for each other.
create function {schema}.settle(
  p_ids uuid[], p_attempts int[], p_tokens uuid[], p_outcomes text[], p_delays float8[], p_errors json[],
  p_is_json boolean[], p_starts int[], p_lengths int[], p_results bytea, p_commit text
) returns table (place int, state text, run_at float8, lane int) language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set enable_indexonlyscan = off set jit = off as $$
#variable_conflict use_column
declare
  v_now float8 := {schema}.clock_ms();
  v_settled int := 0;
  v_count int;
begin
  if p_commit is not null then perform set_config('synchronous_commit', p_commit, true); end if;
  -- One after the other, the two statements below lock in an order that is nobody else's.
  if p_outcomes && array['success', 'dead'] and p_outcomes && array['retry', 'release'] then
    perform {schema}.lock_jobs(p_ids);
  end if;
  if p_outcomes && array['success', 'dead'] then
    return query
      with ended as (
        delete from {schema}.queue q
        using unnest(p_ids, p_attempts, p_tokens, p_outcomes, p_errors, p_is_json, p_starts, p_lengths) with ordinality
          as g(id, attempt, token, outcome, error, is_json, start, length, place)
        where q.id = any(array[g.id]) and q.token is not distinct from g.token and q.attempt = g.attempt and not q.is_awaited
          and (g.outcome = 'success' or g.outcome = 'dead' and not q.is_cancel_requested)
        returning q.id, q.run_at, q.lane, q.attempt, q.token, q.started_at, q.worker_id, q.step_count, q.signal_count,
          q.has_awaited, g.outcome, g.error, g.is_json, g.start, g.length, g.place
      ), finished as (
        insert into {schema}.finished (id, finished_at, run_at, started_at, state, lane, attempt, settled_attempt,
          result_is_json, settled_token, worker_id, error, result, step_count, signal_count)
        select id, v_now, run_at, started_at, outcome::{schema}.finished_state, lane, attempt, attempt,
          is_json, token, worker_id, error, substring(p_results from start for length), step_count, signal_count
        from ended
      ), recorded as (
        insert into {schema}.attempts (job_id, attempt, is_lost, started_at, ended_at, worker_id, error)
        select id, attempt, false, started_at, v_now, worker_id, error from ended where outcome = 'dead'
      ), counted as (
        insert into {schema}.counts (name_id, running, success, dead)
        select lane >> 8, -count(*), count(*) filter (where outcome = 'success'), count(*) filter (where outcome = 'dead')
        from ended group by 1
      ), forgotten as (
        delete from {schema}.waiters
        where ctid = any(array(
          select v.ctid from ended e cross join lateral (
            select v.ctid from {schema}.waiters v where e.has_awaited and v.waiter_id = e.id for update skip locked) v))
      )
      select place::int, outcome, run_at, lane from ended;
    get diagnostics v_settled = row_count;
  end if;

  if p_outcomes && array['retry', 'release'] then
    return query
      with returned as (
        update {schema}.queue q set
          token = null, expires_at = null,
          attempt = case when g.outcome = 'release' then q.attempt - 1 else q.attempt end,
          started_at = case when g.outcome = 'release' and q.attempt = 1 then null else q.started_at end,
          run_at = coalesce(v_now + g.delay, q.run_at),
          is_late = g.delay is null and q.run_at < {schema}.horizon(v_now),
          error = coalesce(g.error, q.error),
          settled_attempt = g.attempt, settled_token = g.token, awaits = null, signals_seen = null
        from unnest(p_ids, p_attempts, p_tokens, p_outcomes, p_delays, p_errors) with ordinality
          as g(id, attempt, token, outcome, delay, error, place)
        where q.id = any(array[g.id]) and q.token is not distinct from g.token and q.attempt = g.attempt and g.outcome in ('retry', 'release')
          and not q.is_cancel_requested
        returning q.id, q.lane, q.attempt, q.started_at, q.worker_id, q.run_at, g.outcome, g.error, g.place
      ), recorded as (
        insert into {schema}.attempts (job_id, attempt, is_lost, started_at, ended_at, worker_id, error)
        select id, attempt, false, started_at, v_now, worker_id, error from returned where outcome = 'retry'
      ), counted as (
        insert into {schema}.counts (name_id, running, pending)
        select lane >> 8, -count(*), count(*) from returned group by 1
      )
      select place::int, 'pending', run_at, lane from returned;
    get diagnostics v_count = row_count;
    v_settled := v_settled + v_count;
  end if;

  -- What is left has lost its lease, repeats a settle that took effect, or goes apart.
  if v_settled < cardinality(p_ids) then
    return query select * from {schema}.settled_before(p_ids, p_attempts, p_tokens);
    return query select * from {schema}.list_held(p_ids, p_attempts, p_tokens);
  end if;
end $$;

-- Locks jobs that are pending or running, in the order in which all do.
create function {schema}.lock_jobs(p_ids uuid[]) returns void language plpgsql as $$
begin
  perform (select true from {schema}.queue q where q.id = g.id for update)
  from (select distinct unnest(p_ids) as id order by 1) g;
end $$;

-- Ends attempts of jobs that others may wait for, or that are asked to stop, and wakes those who wait. As settle, with rows
-- in addition that have no place: the lanes of jobs that were woken. Callers name each job once. Where all are 'apart', they
-- call again.
create function {schema}.settle_apart(
  p_ids uuid[], p_attempts int[], p_tokens uuid[], p_outcomes text[], p_errors json[],
  p_is_json boolean[], p_starts int[], p_lengths int[], p_results bytea, p_commit text
) returns table (place int, state text, run_at float8, lane int) language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set enable_indexonlyscan = off set jit = off as $$
#variable_conflict use_column
declare
  v_locked uuid[];
  v_now float8;
begin
  if p_commit is not null then perform set_config('synchronous_commit', p_commit, true); end if;
  v_locked := {schema}.lock_ending(p_ids);
  if v_locked is null then
    return query select * from {schema}.list_held(p_ids, p_attempts, p_tokens);
    return;
  end if;
  v_now := {schema}.clock_ms();
  return query select * from {schema}.settled_before(p_ids, p_attempts, p_tokens);
  return query
    with ended as (
      delete from {schema}.queue q
      using unnest(p_ids, p_attempts, p_tokens, p_outcomes, p_errors, p_is_json, p_starts, p_lengths) with ordinality
        as g(id, attempt, token, outcome, error, is_json, start, length, place)
      where q.id = any(array[g.id]) and q.token is not distinct from g.token and q.attempt = g.attempt
        and (g.outcome in ('success', 'dead') or q.is_cancel_requested)
      returning q.id, q.run_at, q.lane, q.attempt, q.token, q.started_at, q.worker_id, q.step_count, q.signal_count,
        case when g.outcome = 'success' then 'success' when q.is_cancel_requested then 'cancelled' else 'dead' end as state,
        case when g.outcome <> 'success' then q.error end as error_before,
        g.error, g.is_json, g.start, g.length, g.place
    ), finished as (
      insert into {schema}.finished (id, finished_at, run_at, started_at, state, lane, attempt, settled_attempt,
        result_is_json, settled_token, worker_id, error, result, step_count, signal_count)
      select id, v_now, run_at, started_at, state::{schema}.finished_state, lane, attempt, attempt,
        is_json, token, worker_id, coalesce(error, error_before), substring(p_results from start for length),
        step_count, signal_count
      from ended
    ), recorded as (
      insert into {schema}.attempts (job_id, attempt, is_lost, started_at, ended_at, worker_id, error)
      select id, attempt, false, started_at, v_now, worker_id, error from ended where error is not null
    ), counted as (
      insert into {schema}.counts (name_id, running, success, dead, cancelled)
      select lane >> 8, -count(*), count(*) filter (where state = 'success'), count(*) filter (where state = 'dead'),
        count(*) filter (where state = 'cancelled')
      from ended group by 1
    )
    select place::int, state, run_at, lane from ended;
  return query select null::int, null::text, null::float8, w.lane from {schema}.wake_waiters(v_locked, v_now) w(lane);
end $$;

-- Makes the jobs due that await those of p_locked that have left queue, and forgets what these had to do with waiting. The lane
-- of each that was woken. Callers have locked p_locked and all who wait for them: of any other that is not in queue it could not
-- be said whether it comes back, by retry, and is awaited before what waits for it is forgotten.
create function {schema}.wake_waiters(p_locked uuid[], p_now float8) returns setof int language plpgsql as $$
declare
  v_ended uuid[] := array(
    select g.id from unnest(p_locked) g(id)
    where not exists (select from {schema}.queue q where q.id = any(array[g.id])));
begin
  return query
    update {schema}.queue w set run_at = p_now, is_late = false
    from (
      select distinct v.waiter_id as id from unnest(v_ended) g(id)
        cross join lateral (select v.waiter_id from {schema}.waiters v where v.awaited_id = g.id offset 0) v) e
    where w.id = any(array[e.id]) and w.expires_at is null and w.run_at > p_now and w.awaits && v_ended
    returning w.lane;
  delete from {schema}.waiters
  where ctid = any(array(
      select v.ctid from unnest(v_ended) g(id) cross join lateral (
        select v.ctid from {schema}.waiters v where v.awaited_id = g.id for update skip locked) v))
    or ctid = any(array(
      select v.ctid from unnest(v_ended) g(id) cross join lateral (
        select v.ctid from {schema}.waiters v where v.waiter_id = g.id for update skip locked) v));
end $$;

-- The jobs that are suspended, await one of these, and are not due yet.
create function {schema}.list_waiting(p_ids uuid[]) returns uuid[] language plpgsql as $$
declare
  v_now float8 := {schema}.clock_ms();
begin
  return array(
    select w.id
    from (
      select v.waiter_id as id, array_agg(g.id) as awaited
      from unnest(p_ids) g(id)
        cross join lateral (select from {schema}.queue q where q.id = g.id and q.is_awaited offset 0) q
        cross join lateral (select v.waiter_id from {schema}.waiters v where v.awaited_id = g.id offset 0) v
      group by v.waiter_id) a join {schema}.queue w on w.id = any(array[a.id])
    where w.expires_at is null and w.run_at > v_now and a.awaited && w.awaits);
end $$;

-- Locks jobs that are about to end, and those that wait for them, in the order in which all do. Those of p_ids that it locked;
-- null: some began to wait meanwhile, and can no longer be locked in that order. Then nothing has been done, so it is tried again
-- from the beginning. Otherwise nobody begins to wait: who does has to lock what it is going to await, and will find it gone.
create function {schema}.lock_ending(p_ids uuid[]) returns uuid[] language plpgsql as $$
declare
  v_waiting uuid[] := {schema}.list_waiting(p_ids);
  v_now float8 := {schema}.clock_ms();
  v_locked uuid[];
begin
  -- One that somebody else has woken meanwhile is not held up.
  with locked as materialized (
    select g.id, (
      select true from {schema}.queue q
      where q.id = g.id and (q.expires_at is null and q.run_at > v_now or q.id <> all(v_waiting)) for update) as is_there
    from (select distinct unnest(p_ids || v_waiting) as id order by 1) g
  )
  select array(select id from locked where is_there intersect select unnest(p_ids)) into v_locked;
  if exists (select unnest({schema}.list_waiting(p_ids)) except select unnest(v_waiting)) then return null; end if;
  return v_locked;
end $$;

-- Which of the attempts still run, as settle tells of them.
create function {schema}.list_held(p_ids uuid[], p_attempts int[], p_tokens uuid[])
returns table (place int, state text, run_at float8, lane int) language plpgsql as $$
#variable_conflict use_column
begin
  return query
    select g.place::int, 'apart', q.run_at, q.lane
    from unnest(p_ids, p_attempts, p_tokens) with ordinality g(id, attempt, token, place)
      join {schema}.queue q on q.id = any(array[g.id]) and q.token is not distinct from g.token and q.attempt = g.attempt;
end $$;

-- Which of the attempts have been settled, and what became of their jobs.
create function {schema}.settled_before(p_ids uuid[], p_attempts int[], p_tokens uuid[])
returns table (place int, state text, run_at float8, lane int) language plpgsql as $$
#variable_conflict use_column
begin
  return query
    select g.place::int, case when q.token is null then 'pending' else 'running' end, q.run_at, q.lane
    from unnest(p_ids, p_attempts, p_tokens) with ordinality g(id, attempt, token, place)
      join {schema}.queue q on q.id = any(array[g.id]) and q.settled_token = g.token and q.settled_attempt = g.attempt
    union all
    select g.place::int, f.state::text, f.run_at, f.lane
    from unnest(p_ids, p_attempts, p_tokens) with ordinality g(id, attempt, token, place)
      join {schema}.finished f on f.id = any(array[g.id]) and f.settled_token = g.token and f.settled_attempt = g.attempt;
  -- As in enqueue_jobs: what took effect is told only once it is wherever it has to be.
  if found then perform pg_logical_emit_message(true, 'reseolio', ''); end if;
end $$;
