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
set enable_indexonlyscan = off set jit = off as $$
#variable_conflict use_column
declare
  v_now float8;
  v_job {schema}.queue;
  v_awaits uuid[];
  v_is_there boolean;
  v_run_at float8;
  v_lanes int[] := '{}';
  -- Who awaits what from now on, by place.
  v_waiters uuid[] := '{}';
  v_awaited uuid[] := '{}';
  -- Who has awaited others before.
  v_again uuid[] := '{}';
  -- Those that others of this call await.
  v_inner uuid[] := array(select unnest(p_ids) intersect select unnest(p_awaits));
begin
  if p_commit is not null then perform set_config('synchronous_commit', p_commit, true); end if;
  perform {schema}.lock_jobs(p_ids || p_awaits);
  v_now := {schema}.clock_ms();
  return query select * from {schema}.settled_before(p_ids, p_attempts, p_tokens);
  -- One after the other, so that each sees for what those before it wait.
  for i in 1 .. cardinality(p_ids) loop
    select q.* into v_job from {schema}.queue q
    where q.id = p_ids[i] and q.token is not distinct from p_tokens[i] and q.attempt = p_attempts[i];
    continue when not found;
    v_awaits := p_awaits[p_firsts[i] : p_lasts[i]];
    v_is_there := coalesce(v_job.signal_count, 0) > p_signals_seen[i] or exists (
      select from unnest(v_awaits) a(id) where not exists (select from {schema}.queue q where q.id = any(array[a.id])));
    v_run_at := case when v_is_there then v_now else coalesce(p_wake_ats[i], {schema}.never_due()) end;
    place := i;
    run_at := v_run_at;
    lane := v_job.lane;
    if v_job.is_cancel_requested then
      state := 'apart';
    elsif v_is_there is not true and p_wake_ats[i] is null and p_signals_seen[i] is null
      and {schema}.waits_for_itself(v_job.id, v_awaits, v_job.is_awaited or v_job.id = any(v_inner))
    then
      state := 'cycle';
    else
      state := 'pending';
      update {schema}.queue q set token = null, expires_at = null, attempt = q.attempt - 1,
        started_at = case when q.attempt = 1 then null else q.started_at end,
        run_at = v_run_at, is_late = v_run_at < {schema}.horizon(v_now), awaits = v_awaits, signals_seen = p_signals_seen[i],
        has_awaited = q.has_awaited or v_is_there is not true and v_awaits <> '{}',
        settled_attempt = q.attempt, settled_token = q.token
      where q.id = v_job.id;
      if v_job.has_awaited then v_again := v_again || v_job.id; end if;
      if v_is_there is not true then
        v_waiters := v_waiters || array_fill(v_job.id, array[cardinality(v_awaits)]);
        v_awaited := v_awaited || v_awaits;
      end if;
      v_lanes := v_lanes || v_job.lane;
    end if;
    return next;
  end loop;
  if v_again <> '{}' or v_awaited <> '{}' then perform {schema}.set_waiters(v_again, v_waiters, v_awaited); end if;
  insert into {schema}.counts (name_id, running, pending)
  select l.lane >> 8, -count(*), count(*) from unnest(v_lanes) l(lane) group by 1;
end $$;

-- Notes who awaits what from now on: the waiters of p_suspended, which are locked as what they await is. Of one that was
-- suspended before, only what changes is written.
create function {schema}.set_waiters(p_suspended uuid[], p_waiters uuid[], p_awaited uuid[]) returns void language plpgsql as $$
begin
  delete from {schema}.waiters
  where ctid = any(array(
    select v.ctid
    from (
      select * from {schema}.list_waits(p_suspended)
      except
      select * from unnest(p_awaited, p_waiters)) s
      cross join lateral (
        select v.ctid from {schema}.waiters v where v.awaited_id = s.awaited_id and v.waiter_id = s.waiter_id
        for update skip locked) v));
  insert into {schema}.waiters (awaited_id, waiter_id)
  select * from unnest(p_awaited, p_waiters)
  except
  select * from {schema}.list_waits(p_suspended);
  update {schema}.queue q set is_awaited = true
  from (select distinct a.id from unnest(p_awaited) a(id)) a where q.id = any(array[a.id]) and not q.is_awaited;
end $$;

create function {schema}.list_waits(p_waiters uuid[]) returns table (awaited_id uuid, waiter_id uuid) language plpgsql as $$
#variable_conflict use_column
begin
  return query
    select v.awaited_id, v.waiter_id
    from unnest(p_waiters) g(id)
      cross join lateral (select v.awaited_id, v.waiter_id from {schema}.waiters v where v.waiter_id = g.id offset 0) v;
end $$;

-- Whether a job can never go on that waits for nothing but one of p_awaits: whatever it comes to from there waits for nothing
-- but other jobs, itself among them. p_is_awaited false: nobody waits for it.
create function {schema}.waits_for_itself(p_id uuid, p_awaits uuid[], p_is_awaited boolean) returns boolean
language plpgsql as $$
begin
  if p_awaits <> '{}' and p_id = all(p_awaits) then return true; end if;
  if not p_is_awaited and p_id <> all(p_awaits) then return false; end if;
  -- Two that close a circle together, at different places of it, must not miss each other. Who has this lock waits for no
  -- other any more. Where one that is awaited can go on, it is not needed: that one is locked, and looks when it is suspended.
  if exists (select from unnest(p_awaits) a(id) where a.id <> p_id and not {schema}.waits_for_jobs_only(a.id)) then
    return false;
  end if;
  perform pg_advisory_xact_lock(hashtextextended('reseolio circles ' || {schema_text}, 0));
  return (
    with recursive reached(id) as (
      select a.id from unnest(p_awaits) a(id)
      union
      select a.id
      from reached r join {schema}.queue q on q.id = any(array[r.id]) and q.id <> p_id
        and q.expires_at is null and q.signals_seen is null and q.run_at = {schema}.never_due()
        cross join unnest(q.awaits) a(id)
    )
    select bool_or(id = p_id) and bool_and(id = p_id or {schema}.waits_for_jobs_only(id)) from reached);
end $$;

-- Whether a job is suspended, and nothing but the end of others wakes it.
create function {schema}.waits_for_jobs_only(p_id uuid) returns boolean language plpgsql as $$
begin
  return exists (
    select from {schema}.queue q
    where q.id = p_id and q.expires_at is null and q.awaits <> '{}' and q.signals_seen is null
      and q.run_at = {schema}.never_due());
end $$;
