-- Enqueues a job from SQL, as part of the transaction: it exists if and only if that commits, and workers hear of it then.
-- The id of the job, or of the one that has the idempotency key already.
--
-- p_args: a JSON array of the arguments; any other value is the one argument. p_options: maxAttempts, backoff,
-- initialDelayMs, maxDelayMs, timeoutMs, jitter, priority, delayMs, runAt (Unix milliseconds), idempotencyKey.
create function {schema}.enqueue(name text, args jsonb, options jsonb default '{}') returns uuid language plpgsql as $$
declare
  v_options jsonb := coalesce(options, '{}');
  v_args bytea := convert_to(
    case when jsonb_typeof(args) <> 'array' then jsonb_build_array(args) else args end::text, 'UTF8');
  v_priority smallint;
  v_key bytea;
  -- A UUID of version 7 (RFC 9562): 48 bits of milliseconds, the rest random.
  v_id uuid := encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    placing substring(int8send({schema}.clock_ms()::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid;
  v_known uuid;
begin
  perform {schema}.assert_enqueue(name, v_options, octet_length(v_args));
  v_priority := coalesce((v_options ->> 'priority')::smallint, 0);
  v_key := convert_to(v_options ->> 'idempotencyKey', 'UTF8');
  select e.job_id into v_known from {schema}.enqueue_jobs(
    array[v_id], {schema}.lanes_of(array[name], array[v_priority]), array[(v_options ->> 'delayMs')::float8], array[(v_options ->> 'runAt')::float8],
    array[coalesce((v_options ->> 'maxAttempts')::int, 3)],
    array[nullif(v_options - array['maxAttempts', 'priority', 'delayMs', 'runAt', 'idempotencyKey'], '{}')],
    array[v_key], array[true], array[1], array[octet_length(v_args)], v_args, null, null) e;
  if v_known is null then
    perform pg_notify('reseolio_' || {schema_text}, json_build_object(
      'origin', null, 'work', json_build_array(name), 'finished', json_build_array(), 'late', true)::text);
  end if;
  return coalesce(v_known, v_id);
end $$;

-- Raises an error that says what is wrong, before anything is stored. The limits are those of src/core/options.ts.
create function {schema}.assert_enqueue(p_name text, p_options jsonb, p_bytes int) returns void language plpgsql immutable as $$
declare
  v_key text;
  v_value jsonb;
  v_number numeric;
  v_range numrange;
begin
  if p_name is null or p_name !~ '^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$' then
    raise exception 'reseolio: % cannot name a function: use 1 to 128 of A-Z a-z 0-9 . _ : / -', quote_nullable(p_name)
      using errcode = 'invalid_parameter_value';
  end if;
  if p_bytes is null or p_bytes > 1048576 then
    raise exception 'reseolio: the arguments are %: pass at most 1048576 bytes of JSON', coalesce(p_bytes || ' bytes', 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  if jsonb_typeof(p_options) <> 'object' then
    raise exception 'reseolio: options is %: pass an object', jsonb_typeof(p_options) using errcode = 'invalid_parameter_value';
  end if;
  if p_options ?& array['delayMs', 'runAt'] then
    raise exception 'reseolio: delayMs and runAt were both given: pass one of them' using errcode = 'invalid_parameter_value';
  end if;
  for v_key, v_value in select * from jsonb_each(p_options) loop
    if v_key = 'idempotencyKey' then
      continue when jsonb_typeof(v_value) = 'string' and octet_length(v_value #>> '{}') between 1 and 255;
    elsif v_key = 'backoff' then
      continue when v_value in ('"fixed"', '"linear"', '"exponential"');
    elsif jsonb_typeof(v_value) = 'number' then
      v_number := v_value::numeric;
      v_range := case v_key
        when 'maxAttempts' then '[1,10000]' when 'priority' then '[-100,100]' when 'jitter' then '[0,1]'
        when 'initialDelayMs' then '[0,31622400000]' when 'maxDelayMs' then '[0,31622400000]'
        when 'timeoutMs' then '[1,2073600000]' when 'delayMs' then '[0,316224000000]' when 'runAt' then '[0,7258118400000]'
        else 'empty' end;
      continue when v_number <@ v_range and (v_key not in ('maxAttempts', 'priority') or v_number = trunc(v_number));
    end if;
    raise exception 'reseolio: option % is %: it is unknown, or out of range', v_key, v_value
      using errcode = 'invalid_parameter_value';
  end loop;
end $$;
