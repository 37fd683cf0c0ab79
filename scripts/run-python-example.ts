import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** No step of it takes longer; one that does hangs. */
const TIMEOUT_MS = 60_000;

const FROM_PRODUCER = [
  'result: 6 words; the same job: True',
  'many: 15 words',
  'retried: 3 attempts',
  'refused: cannot charge -1 cents',
  'scheduled: * * * * * * is due at whole seconds: True',
  'from TypeScript: HELLO!',
];

/** Distributions put grpcio beside their own Python, which need not be the one that is found first. */
const PYTHONS = [process.env.PYTHON, 'python3', '/usr/bin/python3'].filter((python) => python !== undefined);

interface Program {
  readonly process: ChildProcess;
  /** What it has printed so far. */
  readonly lines: string[];
  /** Resolves with the first line that it prints; rejects if it ends without. */
  readonly firstLine: Promise<string>;
  readonly exited: Promise<number | null>;
}

/**
 * Runs the example in `examples/python` against a server of its own: the worker and the producer in Python, and a process
 * in TypeScript on the same storage. Exits with 1 if one of them fails or prints something else than it should.
 */
async function runPythonExample(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'reseolio-python-'));
  const programs: Program[] = [];
  const start = (command: string, args: readonly string[], environment: NodeJS.ProcessEnv): Program => {
    const program = startProgram(command, args, environment);
    programs.push(program);
    return program;
  };
  try {
    const python = findPython();
    const storage = `lmdb://${directory}/jobs`;
    run(
      python,
      `-m grpc_tools.protoc -I proto --python_out=${directory} --grpc_python_out=${directory} reseolio.proto`,
    );
    const serve = ['dist/cli/main.js', 'serve', '--storage', storage, '--address', '127.0.0.1:0'];
    const server = start(process.execPath, serve, {});
    const address = /listening on (\S+),/.exec(await server.firstLine)?.[1];
    const environment = { RESEOLIO_ADDR: address, RESEOLIO_DB: storage, PYTHONPATH: directory };

    const worker = start(python, ['examples/python/worker.py'], environment);
    const typescript = start(process.execPath, ['.build/examples/python/typescript-process.js'], environment);
    const producer = start(python, ['examples/python/producer.py'], environment);
    assert.equal(await producer.exited, 0);
    assert.deepEqual(producer.lines, FROM_PRODUCER);
    assert.equal(await typescript.firstLine, '6 words, counted by python');

    for (const program of [worker, typescript, server]) {
      program.process.kill('SIGTERM');
      assert.equal(await program.exited, 0);
    }
    assert.equal(worker.lines.at(-1), 'stopped');
    console.log('the example in Python ran');
  } finally {
    for (const program of programs) program.process.kill('SIGKILL');
    await Promise.all(programs.map(({ exited }) => exited));
    rmSync(directory, { recursive: true, force: true });
  }
}

function findPython(): string {
  const found = PYTHONS.find((python) => spawnSync(python, ['-c', 'import grpc, grpc_tools']).status === 0);
  if (found !== undefined) return found;
  throw new Error('no Python here has grpcio and grpcio-tools: apt-get install python3-grpcio python3-grpc-tools');
}

function run(command: string, args: string): void {
  const { status } = spawnSync(command, args.split(' '), { stdio: 'inherit', timeout: TIMEOUT_MS });
  assert.equal(status, 0, `${command} ${args}`);
}

function startProgram(command: string, args: readonly string[], environment: NodeJS.ProcessEnv): Program {
  const child = spawn(command, args, {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  const lines: string[] = [];
  const output = createInterface(child.stdout);
  output.on('line', (line) => {
    lines.push(line);
    console.log(line);
  });
  const exited = once(child, 'close').then(() => child.exitCode);
  const ended = exited.then(() => Promise.reject(new Error(`${args.join(' ')} ended and printed nothing`)));
  const firstLine = Promise.race([once(output, 'line').then(([line]) => line as string), ended]);
  firstLine.catch(() => {});
  return { process: child, lines, firstLine, exited };
}

await runPythonExample();
