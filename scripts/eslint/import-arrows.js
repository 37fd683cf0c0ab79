import { dirname, relative, resolve } from 'node:path';

/** Which folders of src each folder may import, beside itself. Keys and values are paths below src. */
const ARROWS = {
  core: [],
  'backends/hint-board.ts': ['core'],
  'backends/memory': ['core', 'backends/hint-board.ts'],
  'backends/lmdb': ['core'],
  'backends/postgres': ['core', 'backends/hint-board.ts'],
  'backends/open-storage.ts': ['core', 'backends/memory', 'backends/lmdb', 'backends/postgres'],
  workflow: ['core'],
  worker: ['core', 'workflow'],
  maintenance: ['core'],
  client: ['core', 'workflow', 'worker', 'maintenance', 'backends/open-storage.ts'],
  testing: ['core', 'backends/memory'],
  server: ['core', 'workflow', 'client', 'worker', 'maintenance', 'backends/open-storage.ts'],
  cli: ['core', 'client', 'worker', 'maintenance', 'server', 'backends/open-storage.ts'],
  'index.ts': ['core', 'client', 'workflow', 'backends/open-storage.ts'],
};

/** The only places of src that may import each package. A package that is not here may not be imported by src. */
const PACKAGES = {
  ms: ['workflow/sleep.ts'],
  msgpackr: ['core/payload.ts'],
  lmdb: ['backends/lmdb'],
  pg: ['backends/postgres'],
  'cron-parser': ['core/schedule.ts'],
  luxon: ['core/schedule.ts'],
  '@grpc/grpc-js': ['server'],
  '@grpc/proto-loader': ['server'],
  '@grpc/reflection': ['server'],
  'grpc-health-check': ['server'],
  'prom-client': ['server'],
  commander: ['cli'],
  picocolors: ['cli'],
};

/** Only the file that opens a backend names it, and only as a dynamic import, so that the others are never loaded. */
const LAZY = /^backends\/(memory|lmdb|postgres)\//;

/** Holds the imports of src to the arrows of ARCHITECTURE.md. */
export const importArrows = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      arrow: "src/{{from}} may not import '{{target}}': see the dependency rule in ARCHITECTURE.md",
      lazy: "'{{target}}' must be imported dynamically here, so that the other backends are never loaded",
      unknown: 'src/{{from}} is in no folder that has import arrows: add it to scripts/eslint/import-arrows.js',
    },
  },
  create(context) {
    const source = resolve(context.cwd, 'src');
    const from = slashed(relative(source, context.filename));
    const area = areaOf(from);
    if (area === null) return { Program: (node) => context.report({ node, messageId: 'unknown', data: { from } }) };

    function check(node, specifier, isStaticValue) {
      if (typeof specifier?.value !== 'string') return;
      const target = specifier.value;
      const messageId = target.startsWith('.')
        ? judgePath(area, slashed(relative(source, resolve(dirname(context.filename), target))), isStaticValue)
        : judgePackage(from, area, target);
      if (messageId !== null) context.report({ node, messageId, data: { from, target } });
    }

    return {
      ImportDeclaration: (node) => check(node, node.source, node.importKind !== 'type'),
      ExportNamedDeclaration: (node) => check(node, node.source, node.exportKind !== 'type'),
      ExportAllDeclaration: (node) => check(node, node.source, node.exportKind !== 'type'),
      ImportExpression: (node) => check(node, node.source, false),
      TSImportType: (node) => check(node, node.source ?? node.argument?.literal, false),
    };
  },
};

function judgePath(area, target, isStaticValue) {
  const targetArea = areaOf(target);
  if (targetArea !== area && !ARROWS[area].includes(targetArea)) return 'arrow';
  return area === 'backends/open-storage.ts' && isStaticValue && LAZY.test(target) ? 'lazy' : null;
}

function judgePackage(from, area, target) {
  if (target.startsWith('node:')) return area === 'core' ? 'arrow' : null;
  const name = target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
  const isAllowed = (PACKAGES[name] ?? []).some((place) => isWithin(from, place));
  return isAllowed ? null : 'arrow';
}

function areaOf(path) {
  return Object.keys(ARROWS).find((area) => isWithin(path, area)) ?? null;
}

function isWithin(path, place) {
  return path === place || path.startsWith(`${place}/`);
}

function slashed(path) {
  return path.replaceAll('\\', '/');
}
