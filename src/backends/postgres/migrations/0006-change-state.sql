-- Cancels those of the jobs that are pending; their ids. Callers sort the ids.
create function {schema}.cancel(p_ids uuid[]) returns table (id uuid, lane int) language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
declare
  v_now float8 := {schema}.clock_ms();
begin
  return query
    with ended as (
      delete from {schema}.queue q using unnest(p_ids) g(id) where q.id = g.id and q.token is null
      returning q.*
    ), finished as (
      insert into {schema}.finished (id, finished_at, run_at, started_at, state, lane, attempt, settled_attempt,
        settled_token, worker_id, error)
      select id, v_now, run_at, started_at, 'cancelled', lane, attempt, settled_attempt, settled_token, worker_id, error
      from ended
    ), counted as (
      insert into {schema}.counts (name_id, pending, cancelled) select lane >> 8, -count(*), count(*) from ended group by 1
    )
    select id, lane from ended;
end $$;

-- Puts those of the jobs that are dead back to pending, as new; their ids. Callers sort the ids.
create function {schema}.retry(p_ids uuid[]) returns table (id uuid, lane int) language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
declare
  v_now float8 := {schema}.clock_ms();
begin
  return query
    with dead as (
      delete from {schema}.finished f using unnest(p_ids) g(id) where f.id = g.id and f.state = 'dead'
      returning f.id, f.settled_attempt, f.settled_token
    ), returned as (
      insert into {schema}.queue (id, run_at, seq, lane, is_late, settled_attempt, settled_token)
      select j.id, v_now, j.seq, j.lane, false, dead.settled_attempt, dead.settled_token
      from dead join {schema}.jobs j on j.id = dead.id
      returning id, lane
    ), counted as (
      insert into {schema}.counts (name_id, pending, dead) select lane >> 8, count(*), -count(*) from returned group by 1
    )
    select id, lane from returned;
end $$;
