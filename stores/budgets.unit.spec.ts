import { describe, expect, it } from 'vitest';
import { BUDGETS, type Budgets, brokenRelations, checkBudgets, RELATIONS } from './budgets.ts';

const changed = (change: (budgets: Budgets) => void): Budgets => {
  const budgets = structuredClone(BUDGETS);
  change(budgets);
  return budgets;
};

type Table = { [name: string]: number | Table };

/** Yields the table with one number replaced, for every number in it. */
function* withOneReplaced(by: number, at: readonly string[] = []): Generator<Budgets> {
  const place = at.reduce<number | Table>((table, name) => (table as Table)[name]!, BUDGETS as Table);
  if (typeof place !== 'number') {
    for (const name of Object.keys(place)) yield* withOneReplaced(by, [...at, name]);
    return;
  }
  yield changed((budgets) => {
    const table = at.slice(0, -1).reduce<Table>((inner, name) => inner[name] as Table, budgets as Table);
    table[at.at(-1)!] = by;
  });
}

describe('the budgets of all stores', () => {
  it('fit together', () => {
    expect(brokenRelations(BUDGETS)).toEqual([]);
    expect(() => checkBudgets()).not.toThrow();
  });

  it('are all above zero', () => {
    const numbers = (table: Table): readonly number[] =>
      Object.values(table).flatMap((one) => (typeof one === 'number' ? [one] : numbers(one)));
    expect(Math.min(...numbers(BUDGETS as Table))).toBeGreaterThan(0);
  });

  it.each(RELATIONS.map(({ what, than }, at) => [what, than, at] as const))(
    'are refused unless %s stays below %s, with both numbers',
    (what, than, at) => {
      const { is, most, unit } = RELATIONS[at]!;
      for (const by of [0, 10_000_000]) {
        const broken = [...withOneReplaced(by)].filter((budgets) => is(budgets) > most(budgets));
        expect(broken.length).toBeGreaterThan(0);
        for (const budgets of broken) {
          const said = (n: number) => `(${Math.round(n)} ${unit})`;
          expect(() => checkBudgets(budgets)).toThrow(what);
          const sentence = brokenRelations(budgets).find(
            (one) => one.includes(what) && one.endsWith(said(most(budgets))),
          );
          expect(sentence).toContain(said(is(budgets)));
          expect(sentence).toContain(than);
        }
      }
    },
  );

  it('describe each broken relation in a sentence', () => {
    const slow = changed(({ kafka }) => {
      kafka.heartbeatMs = 2000;
    });
    expect(() => checkBudgets(slow)).toThrow(
      'These budgets do not fit together: three heartbeats of a consumer (6000 ms) must be less than its session (6000 ms).',
    );
    const large = changed(({ kafka, cassandra }) => {
      kafka.batchBytes = 2_000_000;
      cassandra.answerMs = 6000;
    });
    expect(brokenRelations(large)).toEqual([
      'a batch for Kafka (2000000 bytes) must be less than what a broker takes (1048588 bytes)',
      'two answers of Cassandra (12000 ms) may not be more than the time for the last batch of a consumer that leaves (10000 ms)',
    ]);
  });
});
