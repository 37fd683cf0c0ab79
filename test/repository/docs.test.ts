import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { OWN_PARAMETERS } from '../../src/backends/postgres/postgres-url.ts';
import { ERROR_CODES, ReseolioError } from '../../src/core/errors.ts';
import { JOB_EVENTS, JOB_STATES, nextState } from '../../src/core/job.ts';
import { toServiceError } from '../../src/server/service-errors.ts';
import { listFiles, readText } from './source-files.ts';

/** The cells of a Markdown table row, or null where `line` is none. */
function cellsOf(line: string): string[] | null {
  if (!line.startsWith('|') || line.startsWith('| ---')) return null;
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function tableRows(path: string): string[][] {
  return readText(path)
    .split('\n')
    .map(cellsOf)
    .filter((cells) => cells !== null);
}

function withoutBackticks(cell: string): string {
  return cell.replaceAll('`', '');
}

function withoutIndent(text: string): string {
  return text.replace(/^ +/gm, '');
}

describe('docs/errors.md', () => {
  const rows = tableRows('docs/errors.md').slice(1);

  test('explains every error code and no other', () => {
    expect(rows.map(([code = '']) => withoutBackticks(code))).toEqual([...ERROR_CODES]);
  });

  test('says of each what it means and what to do', () => {
    const incomplete = rows.filter((cells) => cells.length !== 3 || cells.some((cell) => cell.length < 5));
    expect(incomplete).toEqual([]);
  });
});

describe('docs/states.md', () => {
  const [header = [], ...rows] = tableRows('docs/states.md');

  test('has a row for each state and a column for each event', () => {
    expect(header.slice(1).map(withoutBackticks)).toEqual([...JOB_EVENTS]);
    expect(rows.map(([state = '']) => withoutBackticks(state))).toEqual([...JOB_STATES]);
  });

  test('the table says what the code does', () => {
    const documented = rows.map((cells) => cells.slice(1).map((cell) => withoutBackticks(cell) || null));
    expect(documented).toEqual(JOB_STATES.map((state) => JOB_EVENTS.map((event) => nextState(state, event))));
  });

  test('the diagram draws what the code does', () => {
    const drawn = [...readText('docs/states.md').matchAll(/^ *(\w+) --> (\w+): (.+)$/gm)].flatMap(
      ([, from, to, events = '']) => events.split(', ').map((event) => `${from} ${event} ${to}`),
    );
    const actual = JOB_STATES.flatMap((state) =>
      JOB_EVENTS.filter((event) => nextState(state, event) !== null).map(
        (event) => `${state} ${event} ${nextState(state, event)}`,
      ),
    );
    expect(drawn.toSorted()).toEqual(actual.toSorted());
  });
});

describe('docs/postgres.md', () => {
  test('explains every parameter of the URL and no other', () => {
    const [, ...rows] = tableRows('docs/postgres.md');
    expect(rows.map(([parameter = '']) => withoutBackticks(parameter))).toEqual([...OWN_PARAMETERS]);
  });
});

describe('docs/protocol.md', () => {
  test('has the status of every error code', () => {
    const documented = tableRows('docs/protocol.md').flatMap(([name = '', codes = '']) => {
      const code = Reflect.get(status, withoutBackticks(name)) as unknown;
      if (typeof code !== 'number') return [];
      return [...codes.matchAll(/`(\w+)`/g)].map(([, errorCode = '']) => [errorCode, code] as const);
    });
    const actual = ERROR_CODES.map((code) => [code, toServiceError(new ReseolioError(code, '')).code]);
    expect(new Map(documented)).toEqual(new Map(actual as [string, number][]));
    expect(documented).toHaveLength(ERROR_CODES.length);
  });
});

describe('documents', () => {
  const paths = [...listFiles(['docs', 'bench', 'examples', 'src'], /\.md$/), ...listFiles(['.'], /^[^/]+\.md$/)];

  test('name only npm scripts that exist', () => {
    const { scripts } = JSON.parse(readText('package.json')) as { scripts: { [name: string]: string } };
    const named = paths.flatMap((path) =>
      [...readText(path).matchAll(/npm run ([\w:-]+)/g)].map(([, script = '']) => ({ path, script })),
    );
    expect(named).not.toEqual([]);
    expect(named.filter(({ script }) => scripts[script] === undefined)).toEqual([]);
  });

  test('link only to files that exist', () => {
    const files = new Set(listFiles(['.'], /./));
    const broken = paths.flatMap((path) =>
      [...readText(path).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
        .map(([, target = '']) => new URL(target, `file:///${path}`).pathname.slice(1).replace(/\/$/, ''))
        .filter((target) => !files.has(target) && ![...files].some((file) => file.startsWith(`${target}/`)))
        .map((target) => `${path} links to ${target}`),
    );
    expect(broken).toEqual([]);
  });

  test('quote examples as they are', () => {
    const quotes = paths.flatMap((path) =>
      [...readText(path).matchAll(/(?:^|\s)from\s\[[^\]]+\]\(([^)]+\.ts)\):\n\n```ts\n(.*?)```/gis)].map(
        ([, target = '', code = '']) => ({ code, source: new URL(target, `file:///${path}`).pathname.slice(1) }),
      ),
    );
    expect(quotes.length).toBeGreaterThan(3);
    const changed = quotes.filter(({ code, source }) => !withoutIndent(readText(source)).includes(withoutIndent(code)));
    expect(changed).toEqual([]);
  });

  test('decisions are numbered without gaps', () => {
    const numbers = listFiles(['docs/adr'], /\/\d{4}-[a-z0-9-]+\.md$/).map((path) => Number(path.slice(9, 13)));
    expect(numbers.toSorted((a, b) => a - b)).toEqual(numbers.map((_, index) => index + 1));
  });
});
