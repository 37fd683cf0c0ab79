import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchOptions } from './bench-options.ts';
import { type BenchReport, describeMachine, type ReportedFigure } from './bench-report.ts';
import { BenchServer } from './bench-server.ts';
import { Child } from './child.ts';
import type { Figure } from './figure.ts';
import { MEASURES } from './measure-list.ts';
import type { MeasureOrder } from './measure-process.ts';
import type { StorageKind } from './storage-under-test.ts';

/** Takes the measures that the options ask for, one after the other. */
export class BenchRun {
  readonly #options: BenchOptions;
  readonly #directory: string;
  readonly #figures: ReportedFigure[] = [];
  readonly #failed: string[] = [];
  #server: BenchServer | null = null;

  /** `directory` is for this run alone. */
  constructor(options: BenchOptions, directory: string) {
    this.#options = options;
    this.#directory = directory;
  }

  async run(): Promise<BenchReport> {
    const [startedAt, startedMs] = [new Date().toISOString(), performance.now()];
    const machine = describeMachine();
    console.log(`node ${machine.node}, ${machine.platform}, ${machine.cpus} x ${machine.cpu}, load ${machine.load}`);
    for (const storage of this.#options.storages) {
      for (const { name } of MEASURES.filter((measure) => measure[storage] !== undefined)) {
        if (this.#options.only.includes(name)) await this.#take(storage, name);
      }
    }
    return {
      startedAt,
      machine,
      postgres: this.#server?.description ?? null,
      isQuick: this.#options.isQuick,
      seconds: (performance.now() - startedMs) / 1000,
      figures: this.#figures,
      failed: this.#failed,
    };
  }

  /** Ends the server, if one was started. */
  async close(): Promise<void> {
    await this.#server?.close();
  }

  async #take(storage: StorageKind, measure: string): Promise<void> {
    console.log(`measuring ${storage}: ${measure}`);
    try {
      const on = await this.#placeOf(storage);
      const figures = await runMeasure({ measure, isQuick: this.#options.isQuick, on });
      for (const figure of figures) {
        this.#figures.push({ storage, measure, ...figure, name: `${storage}: ${figure.name}` });
      }
    } catch (error) {
      console.error(`${storage}: ${measure} failed: ${(error as Error).message}`);
      this.#failed.push(`${storage}: ${measure}`);
    }
    if (storage === 'lmdb') rmSync(join(this.#directory, measure), { recursive: true, force: true });
    else await this.#server?.clean();
  }

  async #placeOf(storage: StorageKind): Promise<MeasureOrder['on']> {
    if (storage === 'lmdb') return { kind: storage, directory: this.#directory };
    if (this.#server === null) {
      this.#server = await BenchServer.open(this.#options.postgresUrl, this.#directory);
      console.log(this.#server.description);
    }
    return { kind: storage, ...this.#server.target };
  }
}

async function runMeasure(order: MeasureOrder): Promise<Figure[]> {
  const child = new Child({ program: 'measure-process', args: [JSON.stringify(order)] });
  const figures = await child.next<Figure[]>();
  await child.ended();
  return figures;
}
