-- A job that was taken under a lease.
create type {schema}.claimed as (
  id uuid, lane int, seq bigint, attempt smallint, run_at float8, started_at float8, error json, created_at float8,
  max_attempts int, options jsonb, idempotency_key bytea, schedule_id uuid, occurrence_at float8, args_is_json boolean,
  args bytea, parent_id uuid, step_count int, signal_count int, is_resumed boolean
);

-- Takes due jobs under a lease: a row for each, then one with no id that holds the horizon in started_at and the time until
-- the next job is due in run_at (null if none waits).
--
-- p_lanes are the lanes of the names, grouped by name in the order of turns, p_turns the turn of each. The search in a lane
-- begins behind its floor, (p_floors, p_floor_seqs): what comes up to there has been taken, or is late. Without floors a
-- claim steps over all that was taken since the last vacuum (docs/adr/0006). No row at all says that there are lanes
-- beyond p_lane_number, the last that the caller knows: it reads them and asks again.
--
-- The limit is dealt out in passes: each name that still has due jobs gets its share, and what some do not need goes to
-- the others in the next pass.
create function {schema}.claim(
  p_worker_id text, p_token uuid, p_lease_ms float8, p_limit int, p_lanes int[], p_turns int[],
  p_floors float8[], p_floor_seqs bigint[], p_lane_number int
) returns setof {schema}.claimed language plpgsql
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
declare
  v_now float8 := {schema}.clock_ms();
  v_left int := p_limit;      -- how many may still be taken
  v_is_due boolean[];         -- by place in p_lanes
  v_names int;                -- names with due jobs
  v_share int;                -- what each of them gets in this pass
  v_turn int;
  v_turn_left int;            -- what is left of the share
  v_wanted int;
  v_taken int;
begin
  if (select max(number) from {schema}.lanes) > p_lane_number then return; end if;
  -- A claim that is lost with the server was never made: its jobs are pending. So it need not wait for the disk.
  perform set_config('synchronous_commit', 'off', true);
  v_is_due := {schema}.find_due(p_lanes, p_floors, p_floor_seqs, v_now);
  while v_left > 0 loop
    v_names := {schema}.count_due_turns(p_turns, v_is_due);
    exit when v_names = 0;
    v_share := greatest(v_left / v_names, 1);
    v_turn := null;
    for i in 1 .. cardinality(p_lanes) loop
      continue when not v_is_due[i];
      if p_turns[i] is distinct from v_turn then
        v_turn := p_turns[i];
        v_turn_left := v_share;
      end if;
      v_wanted := least(v_turn_left, v_left);
      continue when v_wanted = 0;
      return query select * from {schema}.take_due(
        p_lanes[i], p_floors[i], p_floor_seqs[i], v_wanted, v_now, p_worker_id, p_token, p_lease_ms);
      get diagnostics v_taken = row_count;
      v_left := v_left - v_taken;
      v_turn_left := v_turn_left - v_taken;
      v_is_due[i] := v_taken = v_wanted;
    end loop;
  end loop;
  return query select null::uuid, null::int, null::bigint, null::smallint,
    {schema}.until_due(p_lanes, p_floors, p_floor_seqs, v_is_due, v_now), {schema}.horizon(v_now), null::json, null::float8,
    null::int, null::jsonb, null::bytea, null::uuid, null::float8, null::boolean, null::bytea, null::uuid, null::int, null::int,
    null::boolean;
end $$;

-- How many turns have lanes that are due. A loop, since a statement takes longer to start than this takes.
create function {schema}.count_due_turns(p_turns int[], p_is_due boolean[]) returns int language plpgsql as $$
declare
  v_count int := 0;
  v_turn int;
begin
  for i in 1 .. cardinality(p_turns) loop
    if p_is_due[i] and p_turns[i] is distinct from v_turn then
      v_count := v_count + 1;
      v_turn := p_turns[i];
    end if;
  end loop;
  return v_count;
end $$;

-- Takes up to p_wanted due jobs of one lane, in order. No row is locked that is not taken, so concurrent claims find all
-- that is left.
create function {schema}.take_due(
  p_lane int, p_floor float8, p_floor_seq bigint, p_wanted int, p_now float8,
  p_worker_id text, p_token uuid, p_lease_ms float8
) returns setof {schema}.claimed language plpgsql as $$
declare
  v_found tid[] := '{}';
begin
  -- Late jobs are due before all others of the lane. Those up to the very beginning are none.
  if p_floor >= 0 then
    v_found := array(
      select q.ctid from {schema}.queue q
      where q.token is null and q.is_late and q.lane = p_lane and (q.run_at, q.seq) <= (p_floor, p_floor_seq)
      order by q.run_at, q.seq limit p_wanted for update skip locked);
  end if;
  if cardinality(v_found) < p_wanted then
    v_found := v_found || array(
      select q.ctid from {schema}.queue q
      where q.token is null and q.lane = p_lane and (q.run_at, q.seq) > (p_floor, p_floor_seq) and q.run_at <= p_now
      order by q.run_at, q.seq limit p_wanted - cardinality(v_found) for update skip locked);
  end if;
  if v_found = '{}' then return; end if;
  insert into {schema}.counts (name_id, pending, running) values (p_lane >> 8, -cardinality(v_found), cardinality(v_found));
  return query
    with taken as (
      update {schema}.queue q set token = p_token, expires_at = p_now + p_lease_ms, attempt = q.attempt + 1,
        started_at = p_now, worker_id = p_worker_id
      where q.ctid = any(v_found)
      returning q.*
    )
    select t.id, t.lane, t.seq, t.attempt, t.run_at, t.started_at, t.error, j.created_at, j.max_attempts, j.options,
      j.idempotency_key, j.schedule_id, j.occurrence_at, j.args_is_json, j.args, j.parent_id, t.step_count, t.signal_count,
      t.awaits is not null
    from taken t join {schema}.jobs j on j.id = any(array[t.id]) order by t.run_at, t.seq;
end $$;

-- Which of the lanes have due jobs, or may have: of a single one it shows when they are taken.
create function {schema}.find_due(p_lanes int[], p_floors float8[], p_floor_seqs bigint[], p_now float8)
returns boolean[] language plpgsql as $$
begin
  if cardinality(p_lanes) <= 1 then return array_fill(true, array[cardinality(p_lanes)]); end if;
  return array(
    select
      exists (select from {schema}.queue q
        where q.token is null and q.lane = l.lane and (q.run_at, q.seq) > (l.floor, l.floor_seq) and q.run_at <= p_now)
      or exists (select from {schema}.queue q
        where q.token is null and q.is_late and q.lane = l.lane and (q.run_at, q.seq) <= (l.floor, l.floor_seq))
    from unnest(p_lanes, p_floors, p_floor_seqs) with ordinality l(lane, floor, floor_seq, place) order by l.place);
end $$;

-- Milliseconds until the next job of the lanes is due, 0 if one may be, null if none waits. Where nothing is due any more
-- (p_is_due), what others have locked does not count.
create function {schema}.until_due(
  p_lanes int[], p_floors float8[], p_floor_seqs bigint[], p_is_due boolean[], p_now float8
) returns float8 language plpgsql as $$
declare
  v_next_at float8;
begin
  select min(least(
    (select q.run_at from {schema}.queue q
      where q.token is null and q.lane = l.lane
        and (q.run_at, q.seq) > (case when l.is_due then l.floor else p_now end, case when l.is_due then l.floor_seq else 0 end)
      order by q.run_at, q.seq limit 1),
    (select q.run_at from {schema}.queue q
      where q.token is null and q.is_late and q.lane = l.lane and (q.run_at, q.seq) <= (l.floor, l.floor_seq)
      order by q.run_at, q.seq limit 1)))
  into v_next_at
  from unnest(p_lanes, p_floors, p_floor_seqs, p_is_due) l(lane, floor, floor_seq, is_due);
  return case when v_next_at < p_now then 0 else v_next_at - p_now end;
end $$;

-- What was claimed under a token and still runs: the answer of a claim that was lost with its connection.
create function {schema}.claimed_before(p_token uuid) returns setof {schema}.claimed language sql stable
set enable_seqscan = off as $$
  select q.id, q.lane, q.seq, q.attempt, q.run_at, q.started_at, q.error, j.created_at, j.max_attempts, j.options,
    j.idempotency_key, j.schedule_id, j.occurrence_at, j.args_is_json, j.args, j.parent_id, q.step_count, q.signal_count,
    q.awaits is not null
  from {schema}.queue q join {schema}.jobs j on j.id = any(array[q.id])
  where q.token is not null and q.token = p_token
  order by q.run_at, q.seq
$$;
