-- Reads are functions as well, so that they are planned once and by index: planned anew for each list of ids, the read of one
-- job takes twice as long.

-- Jobs by their ids, in any order.
create function {schema}.get_jobs(p_ids uuid[]) returns table (
  id uuid, lane int, created_at float8, max_attempts int, options jsonb, idempotency_key bytea, state text,
  attempt smallint, run_at float8, started_at float8, finished_at float8, worker_id text, expires_at float8, error json,
  schedule_id uuid, occurrence_at float8, parent_id uuid, step_count int, signal_count int, is_suspended boolean,
  is_cancel_requested boolean, args_is_json boolean, args bytea, result_is_json boolean, result bytea
) language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set enable_indexonlyscan = off set jit = off as $$
#variable_conflict use_column
begin
  return query
    select j.id, j.lane, j.created_at, j.max_attempts, j.options, j.idempotency_key,
      case when q.id is null then f.state::text when q.token is null then 'pending' else 'running' end,
      coalesce(q.attempt, f.attempt), coalesce(q.run_at, f.run_at), coalesce(q.started_at, f.started_at), f.finished_at,
      coalesce(q.worker_id, f.worker_id), q.expires_at, coalesce(q.error, f.error),
      j.schedule_id, j.occurrence_at, j.parent_id, coalesce(q.step_count, f.step_count), coalesce(q.signal_count, f.signal_count),
      q.awaits is not null and q.token is null, q.is_cancel_requested, j.args_is_json, j.args, f.result_is_json, f.result
    from unnest(p_ids) g(id) join {schema}.jobs j on j.id = any(array[g.id])
      left join {schema}.queue q on q.id = any(array[g.id]) left join {schema}.finished f on f.id = any(array[g.id]);
end $$;

-- The states of jobs by their ids, in any order.
create function {schema}.get_states(p_ids uuid[]) returns table (id uuid, state text) language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_indexonlyscan = off as $$
#variable_conflict use_column
begin
  return query
    select g.id, case when q.token is null then 'pending' else 'running' end
    from unnest(p_ids) g(id) join {schema}.queue q on q.id = any(array[g.id])
    union all
    select g.id, f.state::text from unnest(p_ids) g(id) join {schema}.finished f on f.id = any(array[g.id]);
end $$;

-- The history of a job, oldest first.
create function {schema}.get_attempts(p_id uuid) returns table (
  attempt smallint, is_lost boolean, worker_id text, started_at float8, ended_at float8, error json
) language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
#variable_conflict use_column
begin
  return query
    select a.attempt, a.is_lost, a.worker_id, a.started_at, a.ended_at, a.error
    from {schema}.attempts a where a.job_id = p_id order by a.seq;
end $$;
