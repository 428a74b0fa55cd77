/** A server exports every metric that the Grafana board and the alert rules query. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedInstance, startInstance } from './support/instance.ts';
import { exportedNames, namesIn } from './support/promql.ts';

const board: unknown = JSON.parse(readFileSync('deploy/grafana/board.json', 'utf8'));
const rules = readFileSync('deploy/grafana/alerts.yaml', 'utf8');

/** Prometheus itself makes this metric: whether it reached a process. */
const OF_PROMETHEUS = ['up'];

/** Every query of the board at any depth: panels, annotations and variables. */
const queriesOf = (part: unknown): string[] =>
  typeof part !== 'object' || part === null
    ? []
    : Object.entries(part).flatMap(([key, value]) =>
        typeof value === 'string' && (key === 'expr' || key === 'definition') ? [value] : queriesOf(value),
      );

/** The text of each alert. A comment belongs to the lines below it, so comments are removed. */
const alerts = rules
  .replace(/^ *#.*\n/gm, '')
  .split(/^ {6}- alert: /m)
  .slice(1)
  .map((text) => ({
    name: /^\w+/.exec(text)![0],
    /** The value on the same line, or on the indented lines below a `|-`. */
    query: /^ {8}expr: (?:\|-\n((?: {10}.*\n)+)|(.*)\n)/m.exec(text)?.slice(1).join(''),
    severity: /^ {8}labels: \{ severity: (\w+) \}$/m.exec(text)?.[1],
    notes: [...text.matchAll(/^ {10}(\w+): (?:>-\n {12})?\S/gm)].map(([, key]) => key),
  }));

describe('names in a query', () => {
  it.each([
    ['parley_sessions', ['parley_sessions']],
    ['sum by (view) (rate(a_total{job="$job", x=~"b_total|c{}"}[5m]))', ['a_total']],
    ['sum(rate(a_sum[$__rate_interval])) without (le) / on (x) group_left (y) b_count', ['a_sum', 'b_count']],
    ['histogram_quantile(0.99, sum by (le) (rate(a_bucket[5m]))) > 1.5e9', ['a_bucket']],
    ["a unless a offset 5m or b{c!='}\"'} # of d", ['a', 'b']],
    ['deriv((max by (view) (a))[10m:30s]) > bool -Inf and time() - b > 0', ['a', 'b']],
    ['label_values(a{job="$job"}, instance)', ['a']],
    ['{__name__=~"parley_.*"}', ['__name__']],
  ])('%s', (query, names) => {
    expect(namesIn(query)).toEqual(names);
  });
});

describe('a server', () => {
  let instance: EmbeddedInstance;
  let exported: ReadonlySet<string>;
  const unknownIn = (query: string) => namesIn(query).filter((name) => !exported.has(name));

  beforeAll(async () => {
    instance = await startInstance();
    const answer = await fetch(`${instance.server().url}/metrics`);
    exported = new Set([...exportedNames(await answer.text()), ...OF_PROMETHEUS]);
  });
  afterAll(() => instance?.close());

  it('exports the metrics of every role, whichever roles it has', () => {
    for (const name of [
      'parley_relayed_events_total',
      'parley_projected_events_total',
      'parley_feed_held_seconds_bucket',
    ])
      expect(exported).toContain(name);
  });

  it('does not export a misspelt or removed metric, or a histogram as a single number', () => {
    expect(unknownIn('rate(parley_append_second_bucket[5m]) / parley_sessions')).toEqual([
      'parley_append_second_bucket',
    ]);
    expect(unknownIn('rate(parley_append_seconds[5m])')).toEqual(['parley_append_seconds']);
    expect(unknownIn('rate(parley_sessions_count[5m])')).toEqual(['parley_sessions_count']);
    expect(unknownIn('{__name__=~"parley_.*"}')).toEqual(['__name__']);
  });

  it('exports every metric that the board shows', () => {
    const queries = queriesOf(board);
    expect(queries.length).toBeGreaterThan(50);
    expect(queries.filter((query) => namesIn(query).length === 0)).toEqual([]);
    expect(queries.flatMap(unknownIn)).toEqual([]);
  });

  it('exports every metric that an alert queries', () => {
    expect(alerts.flatMap(({ query }) => unknownIn(query!))).toEqual([]);
  });
});

describe('an alert', () => {
  it('has a unique name', () => {
    const names = alerts.map(({ name }) => name);
    expect(names).toHaveLength(rules.match(/alert:/g)!.length);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(alerts)(
    '$name has a query, and says what is wrong, what to do and why its threshold is right',
    ({ query, severity, notes }) => {
      expect(namesIn(query!)).not.toEqual([]);
      expect(['critical', 'warning', 'info']).toContain(severity);
      expect(notes).toEqual(['summary', 'action', 'threshold']);
    },
  );
});
