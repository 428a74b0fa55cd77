import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkout } from '../paths.ts';
import { needsOf } from './needs.ts';

const suites = execFileSync('git', ['ls-files', '*.cluster.spec.ts'], { cwd: checkout, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '');

/** What a suite's text shows of the servers that it uses. */
const SIGNS = {
  postgres: /stores\/postgres\/|createDatabase\(\)|\burls\.postgres\b|'postgres'\)/,
  views: /testPostgres\(|createDatabase\('views'\)|\burls\.views\b/,
  redis: /stores\/redis\/(connection|scripts)|connected\(|\burls\.redis\b/,
  kafka: /withAdmin\(|\burls\.kafka\b/,
  cassandra: /testCassandra\(|openCassandra\(|\burls\.cassandra\b/,
} as const;

describe('a cluster suite', () => {
  it.each(suites)('%s waits for no server that it does not show, and for all that it shows', (file) => {
    const text = readFileSync(join(checkout, file), 'utf8');
    const needs = needsOf(file);
    // Both servers of PostgreSQL are the same program.
    const shown = Object.entries(SIGNS).filter(([, sign]) => sign.test(text));
    const without = (name: string) => (name === 'views' ? 'postgres' : name);
    if (file.startsWith('log/kurrentdb/')) return expect(needs).toEqual([]);
    expect(needs.map(without)).toEqual(expect.arrayContaining(shown.map(([name]) => without(name))));
    if (!file.startsWith('test/') && needs.length < 5) expect(needs.length).toBeLessThanOrEqual(2);
  });

  it('that nobody has told of waits for all of them', () => {
    expect(needsOf('somewhere/new.cluster.spec.ts')).toEqual(['postgres', 'views', 'redis', 'kafka', 'cassandra']);
  });
});
