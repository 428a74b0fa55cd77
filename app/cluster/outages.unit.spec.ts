import { describe, expect, it } from 'vitest';
import { TestClock } from '../../schemas/clock.testing.ts';
import { BUDGETS } from '../../stores/budgets.ts';
import { Guard, NotAsked } from '../../stores/guard.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import { Outages } from './outages.ts';

const { tellMs, againMs } = BUDGETS.outages;

const aServer = () => {
  const clock = new TestClock();
  const lines: string[] = [];
  const line = (level: string) => (fields: object, message: string) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const metrics = createMetrics();
  const outages = new Outages({ clock, metrics, logger: { warn: line('warn'), info: line('info') } });
  const watch = outages.watch({
    store: 'redis',
    name: 'Redis',
    variable: 'PARLEY_REDIS_URL',
    hosts: '10.0.0.1:6379',
    meanwhile: 'Unread counts come from the log.',
    repair: 'Run `parley projections rebuild unread`.',
  });
  const sampleOf = async (name: string) => (await metrics.registry.getSingleMetric(name)!.get()).values[0]?.value;
  return { clock, lines, outages, watch, sampleOf };
};

const refused = new Error('connect ECONNREFUSED 10.0.0.1:6379\n    at somewhere deep');

describe('an outage', () => {
  it('is one line at its beginning and one at its end, however often the server is asked', async () => {
    const { clock, lines, outages, watch, sampleOf } = aServer();
    for (let n = 0; n < 100; n += 1) {
      watch.failed(refused, 'transient', false);
      await clock.advance(100);
    }
    expect(lines).toEqual([
      'warn Redis (PARLEY_REDIS_URL) does not answer at 10.0.0.1:6379. Unread counts come from the log. See docs/cluster.md, "When a part is gone". {"store":"redis","reason":"connect ECONNREFUSED 10.0.0.1:6379"}',
    ]);
    expect(outages.states()).toEqual(['Redis does not answer (10 s). Unread counts come from the log.']);
    expect(await sampleOf('parley_store_available')).toBe(0);
    watch.answered();
    watch.answered();
    expect(lines.slice(1)).toEqual(['info Redis answers again {"store":"redis","seconds":10}']);
    expect(outages.states()).toEqual([]);
    expect(await sampleOf('parley_store_available')).toBe(1);
    expect(await sampleOf('parley_store_outages_total')).toBe(1);
  });

  it('is not told of while the server answers now and then', async () => {
    const { clock, lines, watch } = aServer();
    for (let n = 0; n < 100; n += 1) {
      watch.failed(refused, 'transient', false);
      await clock.advance(tellMs / 2);
      watch.answered();
    }
    expect(lines).toEqual([]);
  });

  it('is told of less often if the server comes and goes', async () => {
    const { clock, lines, watch } = aServer();
    for (let passed = 0; passed < 2 * againMs; passed += 2 * tellMs) {
      watch.failed(refused, 'transient', false);
      await clock.advance(tellMs);
      watch.failed(refused, 'transient', false);
      watch.answered();
      await clock.advance(tellMs);
    }
    expect(lines.length).toBeLessThanOrEqual(6);
  });

  it('is told of at once when the server is not asked any more, which has a metric', async () => {
    const { lines, watch, sampleOf } = aServer();
    watch.failed(refused, 'transient', false);
    watch.failed(new NotAsked('unread'), 'transient', true);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('ECONNREFUSED');
    expect(await sampleOf('parley_breaker_open')).toBe(1);
    watch.answered();
    expect(await sampleOf('parley_breaker_open')).toBe(0);
  });

  it('in which the tables are gone names what repairs them', async () => {
    const { clock, lines, watch } = aServer();
    watch.failed(new Error('unconfigured table'), 'damaged', false);
    await clock.advance(tellMs);
    watch.failed(new Error('unconfigured table'), 'damaged', false);
    expect(lines[0]).toContain('what this process needs is not there. Run `parley projections rebuild unread`.');
  });
});

it('a guard tells its watch of answers and of failures that are the server’s, and of no others', async () => {
  const { clock } = aServer();
  const told: string[] = [];
  const watch = {
    answered: () => void told.push('answered'),
    failed: (_: unknown, kind: string, without: boolean) => void told.push(without ? 'not asked' : kind),
  };
  const options = { timeoutMs: 1000, failureRatio: 0.5, openMs: 1000 };
  const kinds = ['transient', 'permanent', 'damaged', 'bug'] as const;
  const guard = new Guard(
    'timelines',
    options,
    (failure) => kinds.find((kind) => kind === failure) ?? 'bug',
    clock,
    watch,
  );
  await guard.run(async () => 'an answer');
  for (const kind of kinds) await guard.run(() => Promise.reject(kind)).catch(() => {});
  expect(told).toEqual(['answered', 'transient', 'damaged']);
});
