/** The import table is enforced: for each rule, a made-up file that breaks it fails. */

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise, type ICruiseResult, type IFlattenedRuleSet } from 'dependency-cruiser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const project = fileURLToPath(new URL('..', import.meta.url));
const { forbidden, options } = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as {
  forbidden: NonNullable<IFlattenedRuleSet['forbidden']>;
  options: object;
};

/** The imports of each made-up file. Targets that import nothing are empty files. */
const files: Record<string, string[]> = {
  'schemas/reaches-out.ts': ['../domain/decides.ts'],
  'domain/decides.ts': ['../schemas/shape.ts'],
  'domain/does-io.ts': ['../log/port.ts'],
  'log/decides.ts': ['../domain/decides.ts'],
  'vault/logs.ts': ['../log/port.ts'],
  'commands/serves.ts': ['../gateway/session.ts'],
  'commands/reads.ts': [
    '../projections/views/timelines/view.ts',
    '../projections/views/guild-views/access.ts',
    '../log/port.ts',
  ],
  'commands/reaches-deep.ts': ['../projections/views/timelines/current.ts'],
  'commands/picks-an-adapter.ts': ['../log/sqlite/sqlite-log.ts'],
  'commands/picks-a-driver.ts': ['libsql'],
  'projections/engine/writes.ts': ['../../commands/port.ts'],
  'projections/engine/knows-a-view.ts': ['../views/timelines/view.ts'],
  'projections/views/asks-above.ts': ['../port.ts'],
  'projections/feed/distributes.ts': ['../distribution/relay.ts'],
  'coordination/keeps-secrets.ts': ['../vault/port.ts'],
  'stores/knows-a-view.ts': ['../projections/engine/port.ts'],
  'commands/presents.ts': ['../presenter/presenter.ts'],
  'presenter/encodes.ts': ['../gateway/session.ts'],
  'presenter/retries.ts': ['../stores/batcher.ts'],
  'http/carries-out.ts': ['../commands/mailbox.ts'],
  'domain/measures.ts': ['../telemetry/metrics.ts'],
  'telemetry/spans.ts': ['@opentelemetry/api'],
  'telemetry/measures.ts': ['@opentelemetry/api'],
  'read-api/writes.ts': ['../commands/port.ts'],
  'gateway/submits.ts': ['../commands/port.ts'],
  'gateway/decides.ts': ['../commands/mailbox.ts'],
  'gateway/reads-deep.ts': ['../log/batching.ts'],
  'client/peeks.ts': ['../domain/decides.ts'],
  'client/speaks.ts': ['../schemas/shape.ts'],
  'app/composes.ts': ['../log/sqlite/sqlite-log.ts', '../gateway/session.ts'],
  'app/opens-a-log.ts': ['../log/sqlite/event-log.ts'],
  'app/embedded/folder.ts': ['../../log/sqlite/event-log.ts'],
  'app/tests-itself.ts': ['../log/contract.ts'],
  'app/uses-a-tool.ts': ['vitest'],
  'domain/chicken.ts': ['./egg.ts'],
  'domain/egg.ts': ['./chicken.ts'],
  'domain/gets-lost.ts': ['./nowhere.ts'],
  'domain/anything.unit.spec.ts': ['../log/sqlite/sqlite-log.ts', 'libsql', 'vitest'],
  'log/sqlite/sqlite-log.ts': ['libsql', '../port.ts'],
};

const broken = new Map<string, string[]>();
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-imports-'));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const [path, imports] of Object.entries(files)) {
    write(path, imports.map((target) => `import '${target}';\n`).join(''));
    for (const target of imports.filter((name) => name.startsWith('.') && !name.includes('nowhere'))) {
      const at = join(dirname(path), target);
      if (files[at] === undefined) write(at, 'export {};\n');
    }
  }
  write('package.json', JSON.stringify({ dependencies: { libsql: '*' }, devDependencies: { vitest: '*' } }));
  copyFileSync(join(project, 'biome.json'), join(folder, 'biome.json'));
  symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));

  const { output } = await cruise(
    ['.'],
    { ...options, cache: false, baseDir: folder, preserveSymlinks: true, validate: true, ruleSet: { forbidden } },
    { symlinks: false },
  );
  for (const violation of (output as ICruiseResult).summary.violations) {
    broken.set(violation.from, [...(broken.get(violation.from) ?? []), violation.rule.name]);
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the import table', () => {
  it.each([
    ['schemas/reaches-out.ts', 'imports-of-schemas'],
    ['domain/does-io.ts', 'imports-of-domain'],
    ['log/decides.ts', 'imports-of-log'],
    ['vault/logs.ts', 'imports-of-vault'],
    ['commands/serves.ts', 'imports-of-commands'],
    ['commands/reaches-deep.ts', 'imports-of-commands'],
    ['commands/presents.ts', 'imports-of-commands'],
    ['coordination/keeps-secrets.ts', 'imports-of-coordination'],
    ['stores/knows-a-view.ts', 'imports-of-stores'],
    ['presenter/encodes.ts', 'imports-of-presenter'],
    ['presenter/retries.ts', 'stores-serve-adapters'],
    ['http/carries-out.ts', 'imports-of-http'],
    ['domain/measures.ts', 'imports-of-domain'],
    ['commands/picks-an-adapter.ts', 'adapters-are-composed'],
    ['commands/picks-a-driver.ts', 'drivers-in-adapters'],
    ['projections/engine/writes.ts', 'imports-of-engine'],
    ['projections/engine/knows-a-view.ts', 'imports-of-engine'],
    ['projections/views/asks-above.ts', 'imports-of-views'],
    ['projections/feed/distributes.ts', 'imports-of-feed'],
    ['telemetry/measures.ts', 'spans-in-one-file'],
    ['telemetry/spans.ts', 'spans-load-late'],
    ['read-api/writes.ts', 'imports-of-read-api'],
    ['gateway/decides.ts', 'imports-of-gateway'],
    ['gateway/reads-deep.ts', 'imports-of-gateway'],
    ['client/peeks.ts', 'imports-of-client'],
    ['app/opens-a-log.ts', 'folders-open-in-one-place'],
    ['app/tests-itself.ts', 'no-testing-in-production'],
    ['app/uses-a-tool.ts', 'no-dev-dependencies-in-production'],
    ['domain/chicken.ts', 'no-cycles'],
    ['domain/gets-lost.ts', 'resolvable'],
  ])('rejects %s by the rule %s', (file, rule) => {
    expect(broken.get(file)).toContain(rule);
  });

  it.each([
    'domain/decides.ts',
    'commands/reads.ts',
    'gateway/submits.ts',
    'client/speaks.ts',
    'app/composes.ts',
    'app/embedded/folder.ts',
    'log/sqlite/sqlite-log.ts',
    'domain/anything.unit.spec.ts',
  ])('allows %s', (file) => {
    expect(broken.get(file) ?? []).toEqual([]);
  });

  it.each([
    ['gateway/appends.ts', 1],
    ['projections/appends.ts', 1],
    ['presenter/appends.ts', 1],
    ['http/appends.ts', 1],
    ['read-api/appends.ts', 1],
    ['commands/appends.ts', 0],
  ])('shows `append` to commands and app only: linting %s exits with %i', (file, status) => {
    writeFileSync(join(folder, file), `import type { EventLog } from '../log/port.ts';\n\nexport type A = EventLog;\n`);
    const lint = spawnSync(join(project, 'node_modules/.bin/biome'), ['lint', '--vcs-enabled=false', file], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(lint.stderr.includes('Only commands append')).toBe(status === 1);
    expect(lint.status).toBe(status);
  });
});
