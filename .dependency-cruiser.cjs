/**
 * The import table of docs/architecture.md as rules. Specs, contract suites and `testing.ts` helpers stand outside the
 * table, because a test may reach for whatever shows its point.
 */
const ROOMS = {
  schemas: '^schemas/',
  telemetry: '^telemetry/',
  domain: '^domain/',
  stores: '^stores/',
  client: '^client/',
  log: '^log/',
  vault: '^vault/',
  coordination: '^coordination/',
  engine: '^projections/engine/',
  views: '^projections/views/',
  'projections-port': '^projections/port\\.ts$',
  distribution: '^projections/distribution/',
  feed: '^projections/feed/',
  embedded: '^projections/embedded/',
  cluster: '^projections/cluster/',
  commands: '^commands/',
  presenter: '^presenter/',
  'read-api': '^read-api/',
  http: '^http/',
  gateway: '^gateway/',
  app: '^app/',
  tests: '^(bench|test|services)/',
};

/** The event log as its port; who may see `append` is kept by biome (noRestrictedImports). */
const LOG = '^log/port\\.ts$';
const COORDINATION = '^coordination/port\\.ts$';
/** Of the read side, what those above it may know: the ports of the views and the permission check. */
const READ_SIDE = [
  '^projections/port\\.ts$',
  '^projections/views/[^/]+/view\\.ts$',
  '^projections/views/guild-views/access\\.ts$',
];

/** Room -> what it may import besides itself, `schemas` and `telemetry`. `app`, `bench` and `test` may import everything. */
const TABLE = {
  schemas: [],
  telemetry: [],
  domain: [],
  stores: [],
  client: [],
  log: [ROOMS.stores],
  vault: [ROOMS.stores],
  coordination: [ROOMS.stores],
  engine: [LOG, COORDINATION, ROOMS.stores],
  views: [ROOMS.engine, ROOMS.domain, LOG, ROOMS.stores],
  // The list of views, of which it takes nothing but the readers' types.
  'projections-port': [ROOMS.engine, '^projections/views/[^/]+/view\\.ts$', '^projections/views/sql-views\\.ts$'],
  distribution: [ROOMS.engine, LOG, COORDINATION, ROOMS.stores],
  feed: [ROOMS.engine, LOG, COORDINATION, ROOMS.stores],
  embedded: [ROOMS['projections-port'], ROOMS.engine, ROOMS.views, ROOMS.domain, LOG, ROOMS.stores],
  cluster: [ROOMS['projections-port'], ROOMS.engine, ROOMS.views, ROOMS.domain, LOG, ROOMS.stores],
  commands: [ROOMS.domain, LOG, ROOMS.vault, COORDINATION, ...READ_SIDE],
  presenter: [ROOMS.domain, ROOMS.vault, '^commands/port\\.ts$', ...READ_SIDE],
  'read-api': [ROOMS.presenter, ROOMS.domain, ROOMS.vault, LOG, ...READ_SIDE],
  http: [
    ROOMS.presenter,
    ROOMS.domain,
    ROOMS.vault,
    LOG,
    COORDINATION,
    '^commands/(port|identity)\\.ts$',
    ...READ_SIDE,
  ],
  gateway: [ROOMS.presenter, ROOMS.domain, ROOMS.vault, LOG, COORDINATION, '^commands/port\\.ts$', ...READ_SIDE],
};

/** Open to all; `telemetry` to all but the two that know nothing of a running process. */
const openTo = (room) => (['schemas', 'domain'].includes(room) ? [ROOMS.schemas] : [ROOMS.schemas, ROOMS.telemetry]);

const TESTING = '\\.spec\\.ts$|(^|[/.])(testing|contract)\\.ts$';
/** Files and folders of adapters, by what they adapt to; `sql` adapts to whatever speaks it. */
const DRIVER = '(sqlite|postgres|kurrentdb|kafka|cassandra|redis|sql)';
const ADAPTER = `/${DRIVER}/|/${DRIVER}[.]ts$`;
/** The two assemblies of the read side, and their list of views that live in SQL, choose adapters as `app` does. */
const ASSEMBLIES = '^projections/(embedded|cluster)/|^projections/views/sql-views\\.ts$';

const own = Object.values(ROOMS).join('|');

const tableRules = Object.entries(TABLE).map(([room, allowed]) => ({
  name: `imports-of-${room}`,
  comment: `The import table: ${room} may import ${[...openTo(room), ...allowed].join(', ')} and nothing else of ours`,
  severity: 'error',
  from: { path: ROOMS[room], pathNot: TESTING },
  to: { path: own, pathNot: [ROOMS[room], ...openTo(room), ...allowed].join('|') },
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
      comment: 'Adapters are chosen in app and in the assemblies; everybody else knows ports',
      severity: 'error',
      from: { pathNot: `${TESTING}|${ADAPTER}|${ASSEMBLIES}|^(app|bench|test|services|stores)/` },
      to: { path: ADAPTER, pathNot: '^stores/' },
    },
    {
      name: 'stores-serve-adapters',
      comment:
        'What adapters share is for adapters and for those who choose them; kinds of failures, retrying and budgets are for all',
      severity: 'error',
      from: { pathNot: `${TESTING}|${ADAPTER}|${ASSEMBLIES}|^(app|bench|test|services|stores)/` },
      to: { path: '^stores/', pathNot: '^stores/(guard|budgets)\\.ts$' },
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
      name: 'spans-in-one-file',
      comment: 'The SDK is loaded by the file that knows it, and only where spans are switched on',
      severity: 'error',
      from: { pathNot: '^telemetry/spans\\.ts$' },
      to: { path: '(^|/)node_modules/@opentelemetry/' },
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
      from: { path: own, pathNot: `${TESTING}|^(bench|test|services)/` },
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
