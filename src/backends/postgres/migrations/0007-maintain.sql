-- Deletes up to p_limit jobs that finished in p_state longer than p_older_than_ms ago; how many. A child stays while its parent
-- may ask what became of it.
create function {schema}.prune(p_state {schema}.finished_state, p_older_than_ms float8, p_limit int)
returns int language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off
set enable_mergejoin = off set enable_indexonlyscan = off as $$
declare
  v_before float8 := {schema}.clock_ms() - p_older_than_ms;
  v_pruned int;
begin
  with old as materialized (
    select f.id, f.lane, f.step_count, f.signal_count from {schema}.finished f
    where f.state = p_state and f.finished_at < v_before
      and not exists (select from {schema}.jobs j join {schema}.queue p on p.id = any(array[j.parent_id]) where j.id = any(array[f.id]))
    order by f.finished_at limit p_limit for update of f skip locked
  ), finished as (
    delete from {schema}.finished f using old where f.id = any(array[old.id])
  ), jobs as (
    delete from {schema}.jobs j using old where j.id = any(array[old.id])
  ), attempts as (
    delete from {schema}.attempts a using old where a.job_id = any(array[old.id])
  ), steps as (
    delete from {schema}.steps s using old where s.job_id = any(array[old.id]) and old.step_count > 0
  ), signals as (
    delete from {schema}.signals s using old where s.job_id = any(array[old.id]) and old.signal_count > 0
  ), counted as (
    insert into {schema}.counts (name_id, success, dead, cancelled)
    select lane >> 8, case p_state when 'success' then -count(*) else 0 end, case p_state when 'dead' then -count(*) else 0 end,
      case p_state when 'cancelled' then -count(*) else 0 end
    from old group by 1
  )
  select count(*) into v_pruned from old;
  return v_pruned;
end $$;

-- Puts up to p_limit rows of counts into one for each name, if there are many; how many.
create function {schema}.fold_counts(p_limit int) returns int language plpgsql as $$
declare
  v_folded int;
begin
  if (select count(*) from (select from {schema}.counts limit 1000) as few) < 1000 then return 0; end if;
  -- What is lost of it with the server is there as it was.
  perform set_config('synchronous_commit', 'off', true);
  with folded as (
    delete from {schema}.counts
    where ctid = any(array(select ctid from {schema}.counts limit p_limit for update skip locked))
    returning *
  ), added as (
    insert into {schema}.counts
    select name_id, sum(pending), sum(running), sum(success), sum(dead), sum(cancelled) from folded group by 1
  )
  select count(*) into v_folded from folded;
  return v_folded;
end $$;
