import type { JobState } from '../../core/job.ts';
import type { CancelParams, ChangeResult, JobIdsParams } from '../../core/storage.ts';
import type { Connections, RunTrace } from './connections.ts';
import type { Hints } from './hints.ts';
import { cancelQuery, isToRepeat, planIds, readChanges, retryQuery, statesQuery } from './operations/change-state.ts';
import type { Query, Row } from './query.ts';

export interface ChangesParams {
  readonly connections: Pick<Connections, 'run'>;
  readonly hints: Pick<Hints, 'postFinished' | 'postSignals'>;
  /** Jobs of these lanes are due. */
  readonly onDue: (lanes: readonly number[]) => Promise<void>;
}

/** Changes of jobs by hand, which are tried again while the server cannot be reached. */
export class Changes {
  readonly #params: ChangesParams;

  constructor(params: ChangesParams) {
    this.#params = params;
  }

  async cancel({ jobIds, isRunningIncluded }: CancelParams): Promise<ChangeResult[]> {
    return this.#change(jobIds, 'cancelled', (planned) => cancelQuery(planned, isRunningIncluded));
  }

  async retry({ jobIds }: JobIdsParams): Promise<ChangeResult[]> {
    return this.#change(jobIds, 'pending', retryQuery);
  }

  async #change(
    jobIds: readonly string[],
    to: JobState,
    queryFor: (planned: readonly string[]) => Query,
  ): Promise<ChangeResult[]> {
    const planned = planIds(jobIds);
    if (planned.length === 0) return readChanges(jobIds, new Map(), new Map());
    const { connections } = this.#params;
    const trace: RunTrace = { isRepeated: false };
    let rows: Row[];
    do {
      rows = await connections.run(queryFor(planned), trace);
    } while (isToRepeat(rows));
    const changed = new Map<string, JobState>();
    for (const [id, , state] of rows) if (typeof id === 'string') changed.set(id, state as JobState);
    const others = planned.filter((id) => !changed.has(id));
    const states = new Map(await this.#readStates(others));
    // What a try changed whose answer was lost is found as it left it.
    if (trace.isRepeated) for (const [id, state] of states) if (state === to) changed.set(id, state);
    await this.#tell(
      changed,
      rows.filter(([, , state]) => state === 'pending').map(([, lane]) => Number(lane)),
    );
    return readChanges(jobIds, changed, states);
  }

  async #readStates(jobIds: readonly string[]): Promise<[string, JobState][]> {
    const rows = jobIds.length === 0 ? [] : await this.#params.connections.run(statesQuery(jobIds));
    return rows.map(([id, state]) => [id as string, state as JobState]);
  }

  async #tell(changed: ReadonlyMap<string, JobState>, dueLanes: readonly number[]): Promise<void> {
    const { hints, onDue } = this.#params;
    const idsOf = (wanted: JobState): string[] =>
      [...changed].filter(([, state]) => state === wanted).map(([id]) => id);
    hints.postFinished(idsOf('cancelled'));
    hints.postSignals(idsOf('running'));
    await onDue(dueLanes);
  }
}
