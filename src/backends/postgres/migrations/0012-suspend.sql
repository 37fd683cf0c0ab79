-- Suspends jobs until one of those that they await has finished or is not there, they have more than p_signals_seen signals, or
-- it is p_wake_ats (null: none of that wakes them); at once if something of it is there. The awaits of a place are those from
-- p_firsts up to p_lasts in p_awaits. A row for each place, from 1, that is not lease_lost. Its state is 'apart' or 'cycle' where
-- nothing was changed, since the job is asked to stop or would wait for itself: settle_apart is to end it.
--
-- No wake-up is lost: who suspends holds the locks of what it awaits until it has committed, and a job that ends is deleted,
-- which takes that lock as well, by a statement that sees the row as it is then. So either the one that ends finds itself
-- awaited, or the one that suspends finds it gone.
create function {schema}.suspend(
  p_ids uuid[], p_attempts int[], p_tokens uuid[], p_wake_ats float8[], p_signals_seen int[],
  p_firsts int[], p_lasts int[], p_awaits uuid[], p_commit text
) returns table (place int, state text, run_at float8, lane int) language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set jit = off as $$
#variable_conflict use_column
declare
  v_now float8;
  v_job {schema}.queue;
  v_awaits uuid[];
  v_is_there boolean;
  v_run_at float8;
  v_lanes int[] := '{}';
begin
  if p_commit is not null then perform set_config('synchronous_commit', p_commit, true); end if;
  perform from {schema}.queue q where q.id = any(p_ids || p_awaits) order by q.id for update;
  v_now := {schema}.clock_ms();
  return query select * from {schema}.settled_before(p_ids, p_attempts, p_tokens);
  -- One after the other, so that each sees for what those before it wait.
  for i in 1 .. cardinality(p_ids) loop
    select q.* into v_job from {schema}.queue q
    where q.id = p_ids[i] and q.token = p_tokens[i] and q.attempt = p_attempts[i];
    continue when not found;
    v_awaits := p_awaits[p_firsts[i] : p_lasts[i]];
    v_is_there := coalesce(v_job.signal_count, 0) > p_signals_seen[i] or exists (
      select from unnest(v_awaits) a(id) where not exists (select from {schema}.queue q where q.id = a.id));
    v_run_at := case when v_is_there then v_now else coalesce(p_wake_ats[i], {schema}.never_due()) end;
    place := i;
    run_at := v_run_at;
    lane := v_job.lane;
    if v_job.is_cancel_requested then
      state := 'apart';
    elsif v_is_there is not true and p_wake_ats[i] is null and p_signals_seen[i] is null
      and {schema}.waits_for_itself(v_job, v_awaits)
    then
      state := 'cycle';
    else
      state := 'pending';
      update {schema}.queue q set token = null, expires_at = null, attempt = q.attempt - 1,
        started_at = case when q.attempt = 1 then null else q.started_at end,
        run_at = v_run_at, is_late = v_run_at < {schema}.horizon(v_now), awaits = v_awaits, signals_seen = p_signals_seen[i],
        settled_attempt = q.attempt, settled_token = q.token
      where q.id = v_job.id;
      if v_is_there is not true then perform {schema}.add_waiter(v_job.id, v_awaits); end if;
      v_lanes := v_lanes || v_job.lane;
    end if;
    return next;
  end loop;
  insert into {schema}.counts (name_id, running, pending)
  select l.lane >> 8, -count(*), count(*) from unnest(v_lanes) l(lane) group by 1;
end $$;

-- Notes with jobs, which are locked, that p_id waits for them. Those that no longer do so are left out by the way.
create function {schema}.add_waiter(p_id uuid, p_awaits uuid[]) returns void language plpgsql as $$
begin
  update {schema}.queue q set waiters = array(
    select w.id from unnest(q.waiters) u(id) join {schema}.queue w on w.id = u.id
    where w.expires_at is null and w.awaits @> array[q.id]) || p_id
  from unnest(p_awaits) a(id)
  where q.id = a.id and (q.waiters is null or not q.waiters @> array[p_id]);
end $$;

-- Whether a job would wait for itself that waits for nothing but p_awaits: through others that do so as well.
create function {schema}.waits_for_itself(p_job {schema}.queue, p_awaits uuid[]) returns boolean language plpgsql as $$
begin
  if p_job.id = any(p_awaits) then return true; end if;
  -- A circle through this job needs one that waits for it, and one that it waits for and that waits itself.
  if p_job.waiters is null or not exists (
    select from {schema}.queue q
    where q.id = any(p_awaits) and q.expires_at is null and q.awaits <> '{}' and q.signals_seen is null
      and q.run_at = {schema}.never_due())
  then
    return false;
  end if;
  -- Two that close a circle together, at different places of it, must not miss each other. Who has this lock waits for no
  -- other any more.
  perform pg_advisory_xact_lock(hashtextextended('reseolio circles ' || {schema_text}, 0));
  return exists (
    with recursive reached(id) as (
      select a.id from unnest(p_awaits) a(id)
      union
      select a.id
      from reached r join {schema}.queue q on q.id = r.id
        and q.expires_at is null and q.signals_seen is null and q.run_at = {schema}.never_due()
        cross join unnest(q.awaits) a(id)
    )
    select from reached where id = p_job.id);
end $$;
