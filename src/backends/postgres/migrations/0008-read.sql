-- Jobs by their ids, in any order. A function, so that it is planned once: planned anew for each list of ids, the read of
-- one job takes twice as long.
create function {schema}.get_jobs(p_ids uuid[]) returns table (
  id uuid, lane int, created_at float8, max_attempts int, options jsonb, idempotency_key bytea, state text,
  attempt smallint, run_at float8, started_at float8, finished_at float8, worker_id text, expires_at float8, error json,
  args_is_json boolean, args bytea, result_is_json boolean, result bytea
) language plpgsql stable
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set jit = off as $$
#variable_conflict use_column
begin
  return query
    select j.id, j.lane, j.created_at, j.max_attempts, j.options, j.idempotency_key,
      case when q.id is null then f.state::text when q.token is null then 'pending' else 'running' end,
      coalesce(q.attempt, f.attempt), coalesce(q.run_at, f.run_at), coalesce(q.started_at, f.started_at), f.finished_at,
      coalesce(q.worker_id, f.worker_id), q.expires_at, coalesce(q.error, f.error),
      j.args_is_json, j.args, f.result_is_json, f.result
    from unnest(p_ids) g(id) join {schema}.jobs j on j.id = g.id
      left join {schema}.queue q on q.id = g.id left join {schema}.finished f on f.id = g.id;
end $$;
