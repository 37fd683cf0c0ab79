import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { BenchReport, ReportedFigure } from './bench-report.ts';
import { PERCENTS } from './statistics.ts';

export interface Plot {
  /** Of its file. */
  readonly name: string;
  /** SVG. */
  readonly content: string;
}

type Row = Readonly<Record<string, string | number>>;

interface PlotKind {
  readonly name: string;
  /** What is drawn of a report; none: no such plot. */
  readonly rowsOf: (figures: readonly ReportedFigure[]) => Row[];
  readonly specOf: (values: Row[]) => TopLevelSpec;
}

const CONFIG = { background: 'white', view: { stroke: null }, axis: { gridColor: '#e5e5e5' }, font: 'sans-serif' };
const SIZE = { width: 320, height: 240 };

const PLOTS: readonly PlotKind[] = [
  { name: 'latency.svg', rowsOf: latencyRows, specOf: latencySpec },
  {
    name: 'throughput.svg',
    rowsOf: (figures) => seriesRows(figures, 'callers'),
    specOf: (values) => seriesSpec(values, 'callers at once', 'durable enqueues a second'),
  },
  {
    name: 'backlog.svg',
    rowsOf: (figures) => seriesRows(figures, 'backlog-claim'),
    specOf: (values) => seriesSpec(values, 'jobs that wait', 'claim of 100 jobs, milliseconds'),
  },
];

/** Pictures of what a report has figures of. */
export async function drawPlots({ figures }: Pick<BenchReport, 'figures'>): Promise<Plot[]> {
  const plots: Plot[] = [];
  for (const { name, rowsOf, specOf } of PLOTS) {
    const rows = rowsOf(figures);
    if (rows.length > 0) plots.push({ name, content: await draw(specOf(rows)) });
  }
  return plots;
}

async function draw(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}

/** A line for each distribution, and one for the floor beside the first of a storage. */
function latencyRows(figures: readonly ReportedFigure[]): Row[] {
  const withFloor = new Set<string>();
  return figures.flatMap(({ storage, measure, distribution }) => {
    if (distribution === null) return [];
    const rows = lineOf(storage, measure, distribution.percentiles);
    if (withFloor.has(storage)) return rows;
    withFloor.add(storage);
    return [...lineOf(storage, 'floor', distribution.floorPercentiles), ...rows];
  });
}

function lineOf(storage: string, what: string, percentiles: readonly number[]): Row[] {
  return percentiles.map((ms, i) => ({ storage, what, percent: PERCENTS[i] as number, ms }));
}

function seriesRows(figures: readonly ReportedFigure[], measure: string): Row[] {
  return figures.flatMap(({ storage, measure: of, load, value }) =>
    of === measure && load !== null ? [{ storage, load, value }] : [],
  );
}

function latencySpec(values: Row[]): TopLevelSpec {
  return {
    config: CONFIG,
    data: { values },
    facet: { column: { field: 'storage', type: 'nominal', title: null } },
    spec: {
      ...SIZE,
      mark: 'line',
      encoding: {
        x: { field: 'percent', type: 'quantitative', title: 'percentile' },
        y: { field: 'ms', type: 'quantitative', scale: { type: 'log' }, title: 'milliseconds' },
        color: { field: 'what', type: 'nominal', title: null },
      },
    },
  };
}

function seriesSpec(values: Row[], xTitle: string, yTitle: string): TopLevelSpec {
  return {
    ...SIZE,
    config: CONFIG,
    data: { values },
    mark: { type: 'line', point: true },
    encoding: {
      x: { field: 'load', type: 'quantitative', scale: { type: 'log' }, title: xTitle },
      y: { field: 'value', type: 'quantitative', title: yTitle },
      color: { field: 'storage', type: 'nominal', title: null },
    },
  };
}
