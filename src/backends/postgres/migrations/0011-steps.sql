-- What running jobs remember, in the order in which it happened.
create table {schema}.steps (
  job_id uuid not null,
  -- From 0, with no gaps.
  number int not null,
  -- The job that stands for the child, if the step called one.
  child_id uuid,
  body bytea not null,
  primary key (job_id, number)
);

-- What jobs were sent. A repeat is known by its id.
create table {schema}.signals (
  job_id uuid not null,
  number int not null,
  id uuid not null,
  -- UTF-8.
  name bytea not null,
  payload_is_json boolean,
  payload bytea,
  primary key (job_id, number)
);
create unique index signals_id on {schema}.signals (job_id, id);

-- Adds steps to jobs, under their leases: all, or nothing where one recording is not what comes next in its job. p_places has
-- the recording of each step, from 1, p_children the place of its child among those that are to be made; p_bodies holds all
-- bodies one after the other. Callers name each job once. p_commit and p_lock_timeout_ms: see enqueue_job.
--
-- If all was added, the rows are 'known', the place of a child and the job that has its key already. Otherwise there is a row
-- for each place of a recording: 'fresh', which may be tried again, 'lost', or 'repeated', with a row 'step' for each step
-- of it that is there, in order, and its job.
create function {schema}.record_steps(
  p_ids uuid[], p_attempts int[], p_tokens uuid[], p_firsts int[], p_counts int[],
  p_places int[], p_numbers int[], p_children int[], p_starts int[], p_lengths int[], p_bodies bytea,
  p_child_ids uuid[], p_lanes int[], p_delays float8[], p_run_ats float8[], p_max_attempts int[], p_options jsonb[],
  p_keys bytea[], p_is_json boolean[], p_arg_starts int[], p_arg_lengths int[], p_args bytea, p_parents uuid[],
  p_commit text, p_lock_timeout_ms int
) returns table (kind text, place int, job_id uuid) language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set enable_indexonlyscan = off set jit = off as $$
#variable_conflict use_column
declare
  v_next int;
  v_child_ids uuid[] := p_child_ids;
begin
  if p_commit is not null then perform set_config('synchronous_commit', p_commit, true); end if;
  if p_lock_timeout_ms is not null then perform set_config('lock_timeout', p_lock_timeout_ms::text, true); end if;
  select count((
    select true from {schema}.queue q
    where q.id = g.id and q.token is not distinct from g.token and q.attempt = g.attempt
      and coalesce(q.step_count, 0) = g.first
    for update)) into v_next
  from (select * from unnest(p_ids, p_attempts, p_tokens, p_firsts) as o(id, attempt, token, first) order by id) g;
  if v_next < cardinality(p_ids) then
    return query select * from {schema}.judge_recordings(p_ids, p_attempts, p_tokens, p_firsts, p_counts);
    return;
  end if;
  if p_child_ids <> '{}' then
    for place, job_id in
      select e.place, e.job_id from {schema}.enqueue_jobs(p_child_ids, p_lanes, p_delays, p_run_ats, p_max_attempts, p_options,
        p_keys, p_is_json, p_arg_starts, p_arg_lengths, p_args, null, null, p_parents) e
    loop
      kind := 'known';
      v_child_ids[place] := job_id;
      return next;
    end loop;
  end if;
  insert into {schema}.steps (job_id, number, child_id, body)
  select p_ids[g.recording], g.number, v_child_ids[g.child], substring(p_bodies from g.start for g.length)
  from unnest(p_places, p_numbers, p_children, p_starts, p_lengths) g(recording, number, child, start, length);
  update {schema}.queue q set step_count = g.first + g.count
  from unnest(p_ids, p_firsts, p_counts) g(id, first, count) where q.id = any(array[g.id]) and g.count > 0;
end $$;

-- What recordings are that were not added.
create function {schema}.judge_recordings(p_ids uuid[], p_attempts int[], p_tokens uuid[], p_firsts int[], p_counts int[])
returns table (kind text, place int, job_id uuid) language plpgsql as $$
#variable_conflict use_column
begin
  return query
    select
      case when q.id is null then 'lost' when coalesce(q.step_count, 0) = g.first then 'fresh'
        when g.count > 0 and q.step_count >= g.first + g.count then 'repeated' else 'lost' end,
      g.place::int, null::uuid
    from unnest(p_ids, p_attempts, p_tokens, p_firsts, p_counts) with ordinality g(id, attempt, token, first, count, place)
      left join {schema}.queue q on q.id = any(array[g.id]) and q.token is not distinct from g.token and q.attempt = g.attempt;
  return query
    select 'step', g.place::int, s.child_id
    from unnest(p_ids, p_attempts, p_tokens, p_firsts, p_counts) with ordinality g(id, attempt, token, first, count, place)
      join {schema}.queue q on q.id = any(array[g.id]) and q.token is not distinct from g.token and q.attempt = g.attempt
        and q.step_count >= g.first + g.count
      join {schema}.steps s on s.job_id = any(array[g.id]) and s.number >= g.first and s.number < g.first + g.count
    order by g.place, s.number;
  -- As in enqueue_jobs: what is there is told only once it is wherever it has to be.
  if found then perform pg_logical_emit_message(true, 'reseolio', ''); end if;
end $$;

-- Up to p_limit steps of a job from number p_from on, and no more once they have p_bytes.
create function {schema}.get_steps(p_id uuid, p_from int, p_limit int, p_bytes int)
returns table (child_id uuid, body bytea) language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
#variable_conflict use_column
begin
  return query
    select p.child_id, p.body
    from (
      select s.*, sum(octet_length(s.body)) over (order by s.number) - octet_length(s.body) as bytes_before
      from {schema}.steps s where s.job_id = p_id and s.number >= p_from order by s.number limit p_limit) p
    where p.bytes_before < p_bytes order by p.number;
end $$;

-- Sends signals, one after the other. A row for each place, from 1, of which the job is there: 'stored', or the state of the
-- job, which has finished or has p_limit signals. The lane is that of a job that was woken. Signals of one job have one order,
-- in which they are stored: the lock of its row makes it.
create function {schema}.signal(
  p_ids uuid[], p_job_ids uuid[], p_names bytea[], p_is_json boolean[], p_starts int[], p_lengths int[], p_payloads bytea,
  p_limit int, p_commit text
) returns table (place int, state text, lane int) language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
#variable_conflict use_column
declare
  v_now float8;
  v_job {schema}.queue;
  v_count int;
  v_is_repeat boolean := false;
  v_is_woken boolean;
begin
  if p_commit is not null then perform set_config('synchronous_commit', p_commit, true); end if;
  perform {schema}.lock_jobs(p_job_ids);
  v_now := {schema}.clock_ms();
  for i in 1 .. cardinality(p_ids) loop
    place := i;
    lane := null;
    select q.* into v_job from {schema}.queue q where q.id = p_job_ids[i];
    v_count := coalesce(v_job.signal_count, 0);
    if exists (select from {schema}.signals s where s.job_id = p_job_ids[i] and s.id = p_ids[i]) then
      state := 'stored';
      v_is_repeat := true;
    elsif v_job.id is null then
      state := (select f.state from {schema}.finished f where f.id = p_job_ids[i]);
      continue when state is null;
    elsif v_count >= p_limit then
      state := case when v_job.token is null then 'pending' else 'running' end;
    else
      state := 'stored';
      insert into {schema}.signals (job_id, number, id, name, payload_is_json, payload)
      values (p_job_ids[i], v_count, p_ids[i], p_names[i], p_is_json[i], substring(p_payloads from p_starts[i] for p_lengths[i]));
      v_is_woken := v_job.token is null and v_count >= v_job.signals_seen and v_job.run_at > v_now;
      if v_is_woken then
        update {schema}.queue q set signal_count = v_count + 1, run_at = v_now, is_late = false where q.id = v_job.id;
        lane := v_job.lane;
      else
        update {schema}.queue q set signal_count = v_count + 1 where q.id = v_job.id;
      end if;
    end if;
    return next;
  end loop;
  if v_is_repeat then perform pg_logical_emit_message(true, 'reseolio', ''); end if;
end $$;

-- Up to p_limit signals of a job from number p_from on, and no more once they have p_bytes.
create function {schema}.get_signals(p_id uuid, p_from int, p_limit int, p_bytes int)
returns table (name bytea, payload_is_json boolean, payload bytea) language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
#variable_conflict use_column
begin
  return query
    select p.name, p.payload_is_json, p.payload
    from (
      select s.*, sum(octet_length(s.payload)) over (order by s.number) - octet_length(s.payload) as bytes_before
      from {schema}.signals s where s.job_id = p_id and s.number >= p_from order by s.number limit p_limit) p
    where coalesce(p.bytes_before, 0) < p_bytes order by p.number;
end $$;
