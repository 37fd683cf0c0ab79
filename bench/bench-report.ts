import { arch, cpus, loadavg, platform } from 'node:os';
import type { Figure } from './figure.ts';
import type { StorageKind } from './storage-under-test.ts';

/** The JSON that `--json` prints, and that is kept with the results. */
export interface BenchReport {
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly machine: Machine;
  /** The server and where it is; null if none was measured. */
  readonly postgres: string | null;
  readonly isQuick: boolean;
  readonly seconds: number;
  readonly figures: readonly ReportedFigure[];
  /** Measures that could not be taken, each as `storage: measure`. */
  readonly failed: readonly string[];
}

export interface ReportedFigure extends Figure {
  readonly storage: StorageKind;
  /** As `--only` names it. */
  readonly measure: string;
}

export interface Machine {
  readonly node: string;
  readonly platform: string;
  readonly cpus: number;
  readonly cpu: string;
  /** Load average of the last minute when the run began: what else kept the machine busy. */
  readonly load: number;
}

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    node: process.versions.node,
    platform: `${platform()} ${arch()}`,
    cpus: processors.length,
    cpu: processors[0]?.model.trim() ?? 'unknown',
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}
