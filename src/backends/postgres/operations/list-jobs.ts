import { FINISHED_STATES, JOB_STATES, type JobState } from '../../../core/job.ts';
import type { ListJobsParams, NameCounts } from '../../../core/storage.ts';
import { arrayLiteral } from '../array-literal.ts';
import { SUMMARY_COLUMNS } from '../job-columns.ts';
import type { Query, Row, Value } from '../query.ts';

/**
 * Up to so many matching jobs are read and sorted; where there are more, jobs are read in order until the page is full. Of
 * m matching among n that costs the least of m and n * page / m, which is never more than the root of n * page.
 */
const MAX_SORTED = 20_000;

export function countsQuery(): Query {
  return {
    name: 'counts',
    text: `select n.name, sum(c.pending), sum(c.running), sum(c.success), sum(c.dead), sum(c.cancelled)
      from {schema}.counts c join {schema}.names n on n.id = c.name_id group by n.name
      having sum(c.pending + c.running + c.success + c.dead + c.cancelled) > 0 order by n.name`,
    values: [],
  };
}

export function readCounts(rows: readonly Row[]): NameCounts[] {
  return rows.map(([name, ...counts]) => {
    const [pending, running, success, dead, cancelled] = counts.map(Number) as [number, number, number, number, number];
    return { name: name as string, pending, running, success, dead, cancelled };
  });
}

/** How many jobs the filter of a list matches that is not of one parent, by the counts that are kept. */
export function countMatching({ states, names }: ListJobsParams, counts: readonly NameCounts[]): number {
  const wanted = new Set(states ?? JOB_STATES);
  let total = 0;
  for (const ofName of counts) {
    if (names !== null && !names.includes(ofName.name)) continue;
    for (const state of wanted) total += ofName[state];
  }
  return total;
}

/** The same for the children of one parent, by reading them. */
export function countChildrenQuery(params: ListJobsParams, nameIds: readonly number[] | null): Query {
  const values: Value[] = [];
  return { name: null, text: `select count(*) from ${ALL_JOBS} ${writeFilter(params, nameIds, values)}`, values };
}

export function listJobsQuery(params: ListJobsParams, nameIds: readonly number[] | null, total: number): Query {
  const { states, parentId, limit, offset, orderBy, isAscending } = params;
  const direction = isAscending ? 'asc' : 'desc';
  const values: Value[] = [limit, offset];
  const isSorting = states !== null && parentId === null && (orderBy === 'scheduledAt' || total <= MAX_SORTED);
  return {
    name: null,
    text: `select ${SUMMARY_COLUMNS} from ${isSorting ? matchingFrom(states) : ALL_JOBS}
      ${writeFilter(params, nameIds, values)}
      order by ${orderBy === 'createdAt' ? 'j.created_at' : 'coalesce(q.run_at, f.run_at)'} ${direction}, j.seq ${direction}
      limit $1 offset $2`,
    values,
  };
}

const ALL_JOBS =
  '{schema}.jobs j left join {schema}.queue q on q.id = j.id left join {schema}.finished f on f.id = j.id';

/** The same rows from the other end: the jobs of these states first, by the indexes that have them. */
function matchingFrom(states: readonly JobState[]): string {
  const finished = FINISHED_STATES.filter((state) => states.includes(state));
  const isLive = finished.length < states.length;
  const ids = [
    ...(isLive ? ['select id from {schema}.queue'] : []),
    ...finished.map((state) => `select id from {schema}.finished where state = '${state}'`),
  ];
  return `(${ids.join(' union all ')}) m join {schema}.jobs j on j.id = m.id
      left join {schema}.queue q on q.id = j.id left join {schema}.finished f on f.id = j.id`;
}

/** Adds to `values` what it refers to. */
function writeFilter({ states, parentId }: ListJobsParams, nameIds: readonly number[] | null, values: Value[]): string {
  const conditions = states === null ? [] : [stateCondition([...new Set(states)])];
  if (nameIds !== null) conditions.push(`j.lane >> 8 = any($${values.push(arrayLiteral(nameIds))}::int[])`);
  if (parentId !== null) conditions.push(`j.parent_id = $${values.push(parentId)}`);
  return conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
}

function stateCondition(states: readonly JobState[]): string {
  const parts = states.map((state) => {
    if (state === 'pending') return '(q.id is not null and q.token is null)';
    if (state === 'running') return 'q.token is not null';
    return `f.state = '${state}'`;
  });
  return `(${parts.join(' or ')})`;
}
