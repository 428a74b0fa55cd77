/**
 * The import table of docs/architecture.md as rules. Specs, contract suites and `testing.ts` helpers are exempt, because
 * a test may import whatever it needs.
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

/** The port of the event log. biome restricts who may see `append` (noRestrictedImports). */
const LOG = '^log/port\\.ts$';
const COORDINATION = '^coordination/port\\.ts$';
/** What the rooms above the read side may import from it: the ports of the views and the permission check. */
const READ_SIDE = [
  '^projections/port\\.ts$',
  '^projections/views/[^/]+/view\\.ts$',
  '^projections/views/guild-views/(access|revisions|revised)\\.ts$',
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
  // From the list of views it imports only the readers' types.
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
    '^commands/(port|identity|accounts)\\.ts$',
    ...READ_SIDE,
  ],
  gateway: [ROOMS.presenter, ROOMS.domain, ROOMS.vault, LOG, COORDINATION, '^commands/port\\.ts$', ...READ_SIDE],
};

/** Rooms that every room may import. `telemetry` is closed to the two that know nothing of a running process. */
const openTo = (room) => (['schemas', 'domain'].includes(room) ? [ROOMS.schemas] : [ROOMS.schemas, ROOMS.telemetry]);

const TESTING = '\\.spec\\.ts$|(^|[/.])(testing|contract)\\.ts$';
/** Files and folders of adapters, named by driver. `sql` serves every driver that speaks SQL. */
const DRIVER = '(sqlite|postgres|kurrentdb|kafka|cassandra|redis|sql)';
const ADAPTER = `/${DRIVER}/|/${DRIVER}[.]ts$`;
/** The two assemblies of the read side and their list of SQL views choose adapters, as `app` does. */
const ASSEMBLIES = '^projections/(embedded|cluster)/|^projections/views/sql-views\\.ts$';

const own = Object.values(ROOMS).join('|');

const tableRules = Object.entries(TABLE).map(([room, allowed]) => ({
  name: `imports-of-${room}`,
  comment: `The import table: of our rooms, ${room} may import only ${[...openTo(room), ...allowed].join(', ')}`,
  severity: 'error',
  from: { path: ROOMS[room], pathNot: TESTING },
  to: { path: own, pathNot: [ROOMS[room], ...openTo(room), ...allowed].join('|') },
}));

module.exports = {
  forbidden: [
    ...tableRules,
    {
      name: 'no-cycles',
      comment: 'Two files that import each other belong in one file, or need a third',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'adapters-are-composed',
      comment: 'app and the assemblies choose adapters; everything else knows ports only',
      severity: 'error',
      from: { pathNot: `${TESTING}|${ADAPTER}|${ASSEMBLIES}|^(app|bench|test|services|stores)/` },
      to: { path: ADAPTER, pathNot: '^stores/' },
    },
    {
      name: 'folders-open-in-one-place',
      comment: 'The vault notes how its log was left, so app writes to a log.db only through app/embedded/folder.ts',
      severity: 'error',
      from: { path: '^app/', pathNot: `${TESTING}|^app/embedded/folder\\.ts$` },
      to: { path: '^log/sqlite/event-log\\.ts$' },
    },
    {
      name: 'stores-serve-adapters',
      comment: 'Only adapters and the code that chooses them import stores; guard and budgets are open to all',
      severity: 'error',
      from: { pathNot: `${TESTING}|${ADAPTER}|${ASSEMBLIES}|^(app|bench|test|services|stores)/` },
      to: { path: '^stores/', pathNot: '^stores/(guard|budgets)\\.ts$' },
    },
    {
      name: 'drivers-in-adapters',
      comment:
        'Only adapter files import a driver (and bench, which measures it bare, and the code that starts servers)',
      severity: 'error',
      from: { pathNot: `${ADAPTER}|^bench/|^services/|^test/|${TESTING}` },
      to: {
        path: '(^|/)node_modules/(libsql|pg|ioredis|kafkajs|cassandra-driver|@eventstore/db-client|@grpc/grpc-js)/',
      },
    },
    {
      name: 'spans-in-one-file',
      comment: 'Only spans.ts loads the SDK',
      severity: 'error',
      from: { pathNot: '^telemetry/spans\\.ts$' },
      to: { path: '(^|/)node_modules/@opentelemetry/' },
    },
    {
      name: 'spans-load-late',
      comment: 'The SDK is loaded only when tracing is switched on: by import(), never by an import at the top',
      severity: 'error',
      from: { path: '^telemetry/spans\\.ts$' },
      to: { path: '(^|/)node_modules/@opentelemetry/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-testing-in-production',
      comment: 'Specs, contract suites and test helpers are not part of the server',
      severity: 'error',
      from: { pathNot: `${TESTING}|^(bench|test|services)/` },
      to: { path: TESTING },
    },
    {
      name: 'no-dev-dependencies-in-production',
      comment: 'Packages that the server runs must be in `dependencies`',
      severity: 'error',
      from: { path: own, pathNot: `${TESTING}|^(bench|test|services)/` },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'resolvable',
      comment: 'An import that resolves to nothing escapes every other rule',
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
