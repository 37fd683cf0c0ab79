import tseslint from 'typescript-eslint';
import { importArrows } from './scripts/eslint/import-arrows.js';

const RUNTIME = 'Time, randomness and timers come from the Runtime that is handed in: see docs/adr/0002.';

/** Folders that a simulator drives from one seed. */
const DRIVEN = ['core', 'client', 'workflow', 'worker', 'maintenance', 'backends/memory'].map(
  (folder) => `src/${folder}/**/*.ts`,
);

const AMBIENT_GLOBALS = ['setTimeout', 'setInterval', 'setImmediate', 'performance', 'crypto'];
const AMBIENT_MODULES = ['node:timers', 'node:timers/promises', 'node:crypto', 'node:perf_hooks'];
const AMBIENT_PROPERTIES = [
  ['Date', 'now'],
  ['Math', 'random'],
  ['AbortSignal', 'timeout'],
  ['process', 'hrtime'],
  ['process', 'uptime'],
  ...['globalThis', 'global'].flatMap((object) => AMBIENT_GLOBALS.map((name) => [object, name])),
];

const MODULE_STATE = ['Program > VariableDeclaration', 'Program > ExportNamedDeclaration > VariableDeclaration'].map(
  (selector) => ({
    selector: `${selector}[kind!="const"]`,
    message: 'State belongs to an object that someone made, not to a module: several clients share a process.',
  }),
);

export default tseslint.config(
  { ignores: ['dist/', '.build/', 'coverage/', 'bench/peers/', 'bench/results/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true } },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['src/**/*.ts'],
    plugins: { reseolio: { rules: { 'import-arrows': importArrows } } },
    rules: { 'reseolio/import-arrows': 'error', 'no-restricted-syntax': ['error', ...MODULE_STATE] },
  },
  {
    files: DRIVEN,
    ignores: ['src/core/runtime.ts'],
    rules: {
      'no-restricted-globals': ['error', ...AMBIENT_GLOBALS.map((name) => ({ name, message: RUNTIME }))],
      'no-restricted-imports': ['error', { paths: AMBIENT_MODULES.map((name) => ({ name, message: RUNTIME })) }],
      'no-restricted-properties': [
        'error',
        ...AMBIENT_PROPERTIES.map(([object, property]) => ({ object, property, message: RUNTIME })),
      ],
      'no-restricted-syntax': [
        'error',
        ...MODULE_STATE,
        { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: RUNTIME },
        { selector: 'CallExpression[callee.name="Date"]', message: RUNTIME },
      ],
    },
  },
);
