-- Takes due jobs under a lease: a row for each, then one with no id that holds the horizon in started_at and the time
-- until the next job is due in run_at (null if none waits).
--
-- p_lanes are the lanes of the names, grouped by name in the order of turns, p_turns the turn of each. The search in a
-- lane begins behind its floor, (p_floors, p_floor_seqs): what comes up to there has been taken, or is late. Without floors a
-- claim steps over all that was taken since the last vacuum (docs/adr/0006). No row at all says that there are lanes
-- beyond p_lane_number, the last that the caller knows: it reads them and asks again.
--
-- The limit is dealt out in passes: each name that still has due jobs gets its share, and what some do not need goes to
-- the others in the next pass. No row is locked that is not taken, so concurrent claims find all that is left.
create function {schema}.claim(
  p_worker_id text, p_token uuid, p_lease_ms float8, p_limit int, p_lanes int[], p_turns int[],
  p_floors float8[], p_floor_seqs bigint[], p_lane_number int
) returns table (
  id uuid, lane int, seq bigint, attempt smallint, run_at float8, started_at float8, error json, created_at float8, max_attempts int,
  options jsonb, idempotency_key bytea, args_is_json boolean, args bytea
) language plpgsql
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_bitmapscan = off set jit = off as $$
#variable_conflict use_column
declare
  v_now float8 := {schema}.clock_ms();
  v_left int := p_limit;      -- how many may still be picked
  v_names int;                -- names with due jobs
  v_share int;                -- what each of them gets in this pass
  v_turn int;
  v_turn_left int;            -- what is left of the share
  v_wanted int;
  v_found tid[];
  v_is_due boolean[];         -- by place in p_lanes
  v_next_at float8;
begin
  if (select max(number) from {schema}.lanes) > p_lane_number then return; end if;
  -- A claim that is lost with the server was never made: its jobs are pending. So it need not wait for the disk.
  perform set_config('synchronous_commit', 'off', true);
  select array_agg(
    exists (select from {schema}.queue q
      where q.token is null and q.lane = l.lane and (q.run_at, q.seq) > (l.floor, l.floor_seq) and q.run_at <= v_now)
    or exists (select from {schema}.queue q
      where q.token is null and q.is_late and q.lane = l.lane and (q.run_at, q.seq) <= (l.floor, l.floor_seq))
    order by l.place)
  into v_is_due
  from unnest(p_lanes, p_floors, p_floor_seqs) with ordinality l(lane, floor, floor_seq, place);

  while v_left > 0 loop
    select count(distinct t.turn) into v_names from unnest(p_turns, v_is_due) t(turn, is_due) where t.is_due;
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
      -- Late jobs are due before all others of the lane.
      v_found := array(
        select q.ctid from {schema}.queue q
        where q.token is null and q.is_late and q.lane = p_lanes[i]
          and (q.run_at, q.seq) <= (p_floors[i], p_floor_seqs[i])
        order by q.run_at, q.seq limit v_wanted for update skip locked);
      v_found := v_found || array(
        select q.ctid from {schema}.queue q
        where q.token is null and q.lane = p_lanes[i]
          and (q.run_at, q.seq) > (p_floors[i], p_floor_seqs[i]) and q.run_at <= v_now
        order by q.run_at, q.seq limit v_wanted - cardinality(v_found) for update skip locked);
      return query
        with taken as (
          update {schema}.queue q set token = p_token, expires_at = v_now + p_lease_ms, attempt = q.attempt + 1,
            started_at = v_now, worker_id = p_worker_id
          where q.ctid = any(v_found)
          returning q.*
        ), counted as (
          insert into {schema}.counts (name_id, pending, running)
          select p_lanes[i] >> 8, -cardinality(v_found), cardinality(v_found) where v_found <> '{}'
        )
        select t.id, t.lane, t.seq, t.attempt, t.run_at, v_now, t.error, j.created_at, j.max_attempts, j.options,
          j.idempotency_key, j.args_is_json, j.args
        from taken t join {schema}.jobs j on j.id = t.id order by t.run_at, t.seq;
      v_left := v_left - cardinality(v_found);
      v_turn_left := v_turn_left - cardinality(v_found);
      v_is_due[i] := cardinality(v_found) = v_wanted;
    end loop;
  end loop;

  -- Where nothing is due any more, only what is still to come counts, not what others have locked.
  select min(least(
    (select q.run_at from {schema}.queue q
      where q.token is null and q.lane = l.lane
        and (q.run_at, q.seq) > (case when l.is_due then l.floor else v_now end, case when l.is_due then l.floor_seq else 0 end)
      order by q.run_at, q.seq limit 1),
    (select q.run_at from {schema}.queue q
      where q.token is null and q.is_late and q.lane = l.lane and (q.run_at, q.seq) <= (l.floor, l.floor_seq)
      order by q.run_at, q.seq limit 1)))
  into v_next_at
  from unnest(p_lanes, p_floors, p_floor_seqs, v_is_due) l(lane, floor, floor_seq, is_due);
  return query select null::uuid, null::int, null::bigint, null::smallint, case when v_next_at < v_now then 0 else v_next_at - v_now end,
    {schema}.horizon(v_now), null::json,
    null::float8, null::int, null::jsonb, null::bytea, null::boolean, null::bytea;
end $$;

-- What was claimed under a token and still runs: the answer of a claim that was lost with its connection.
create function {schema}.claimed_before(p_token uuid) returns table (
  id uuid, lane int, seq bigint, attempt smallint, run_at float8, started_at float8, error json, created_at float8,
  max_attempts int, options jsonb, idempotency_key bytea, args_is_json boolean, args bytea
) language sql stable set enable_seqscan = off as $$
  select q.id, q.lane, q.seq, q.attempt, q.run_at, q.started_at, q.error, j.created_at, j.max_attempts, j.options,
    j.idempotency_key, j.args_is_json, j.args
  from {schema}.queue q join {schema}.jobs j on j.id = q.id
  where q.token is not null and q.token = p_token
  order by q.run_at, q.seq
$$;
