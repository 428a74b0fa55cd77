/**
 * The import table of docs/architecture.md as rules. Everything may import `schemas`; specs, contract suites and
 * `testing.ts` helpers stand outside the table, because a test may reach for whatever shows its point.
 */
const FOLDERS = [
  'schemas',
  'domain',
  'log',
  'vault',
  'commands',
  'projections',
  'read-api',
  'gateway',
  'app',
  'client',
  'bench',
  'test',
  'services',
];

/** Folder -> the folders it may import besides itself and `schemas`. `app`, `bench` and `test` may import everything. */
const TABLE = {
  schemas: [],
  domain: [],
  log: [],
  vault: [],
  commands: ['domain', 'log', 'vault', 'projections'],
  projections: ['domain', 'log', 'vault'],
  'read-api': ['projections', 'log', 'vault', 'domain'],
  gateway: ['commands', 'projections', 'log', 'vault', 'domain'],
  client: [],
};

/** Folders of adapters, by what they adapt to. */
const ADAPTER = '/(sqlite|postgres|kurrentdb|kafka|cassandra|redis)/';
const TESTING = '\\.spec\\.ts$|(^|[/.])(testing|contract)\\.ts$';
const anyOf = (names) => `^(${names.join('|')})/`;

const tableRules = Object.entries(TABLE).map(([folder, allowed]) => ({
  name: `imports-of-${folder}`,
  comment: `${folder} may import ${['schemas', ...allowed].join(', ')} and nothing else of ours`,
  severity: 'error',
  from: { path: `^${folder}/`, pathNot: TESTING },
  to: { path: anyOf(FOLDERS.filter((name) => ![folder, 'schemas', ...allowed].includes(name))) },
}));

module.exports = {
  forbidden: [
    ...tableRules,
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or need a third',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'adapters-are-composed',
      comment: 'Adapters are chosen in app; everybody else knows ports',
      severity: 'error',
      from: { path: anyOf(Object.keys(TABLE)), pathNot: `${TESTING}|${ADAPTER}` },
      to: { path: `${ADAPTER}` },
    },
    {
      name: 'drivers-in-adapters',
      comment:
        'A driver is imported by adapter files only (and by bench, which measures it bare, and by what starts servers)',
      severity: 'error',
      from: { pathNot: `${ADAPTER}|^bench/|^services/|^test/|${TESTING}` },
      to: { path: '(^|/)node_modules/(libsql|pg|ioredis|kafkajs|cassandra-driver|@eventstore/db-client)/' },
    },
    {
      name: 'gateway-knows-the-dispatcher',
      comment: 'The gateway submits commands through commands/port.ts and knows nothing of how they are carried out',
      severity: 'error',
      from: { path: '^gateway/', pathNot: TESTING },
      to: { path: '^commands/', pathNot: '^commands/port\\.ts$' },
    },
    {
      name: 'views-by-their-ports',
      comment: 'Outside projections a read model is its port, the permission check (access) and the presenter',
      severity: 'error',
      from: { path: '^(commands|read-api|gateway)/', pathNot: TESTING },
      to: { path: '^projections/', pathNot: '(^|/)(port|index)\\.ts$|^projections/(access\\.ts$|presenter/)' },
    },
    {
      name: 'logs-by-their-port',
      comment: 'Outside log the event log is its port; who may see `append` is kept by biome (noRestrictedImports)',
      severity: 'error',
      from: { path: '^(commands|read-api|gateway|projections)/', pathNot: TESTING },
      to: { path: '^log/', pathNot: '^log/(port|index)\\.ts$' },
    },
    {
      name: 'no-testing-in-production',
      comment: 'Specs, contract suites and test helpers are not part of the server',
      severity: 'error',
      from: { pathNot: `${TESTING}|^(test|services)/` },
      to: { path: TESTING },
    },
    {
      name: 'no-dev-dependencies-in-production',
      comment: 'What the server runs must be in `dependencies`',
      severity: 'error',
      from: { path: anyOf([...Object.keys(TABLE), 'app']), pathNot: TESTING },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'resolvable',
      comment: 'An import that leads nowhere escapes every other rule',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
    cache: { folder: 'node_modules/.cache/dependency-cruiser', strategy: 'content' },
  },
};
