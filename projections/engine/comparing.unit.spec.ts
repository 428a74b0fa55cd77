import { describe, expect, it } from 'vitest';
import { TestClock } from '../../schemas/clock.testing.ts';
import { compare, compareClosely, type Sum, type Summed } from './rebuild-generation.ts';

const sum = (checksum: string, through?: number): Sum => ({ through, count: 1, checksum });

/** Each look at a thing takes its next sum; the last one repeats. */
const summed = (things: Record<string, readonly Sum[]>): Summed => {
  const looks = new Map(Object.entries(things).map(([thing, sums]) => [thing, [...sums]]));
  const of = async (thing: string): Promise<Sum> => {
    const sums = looks.get(thing) ?? [{ through: 0, count: 0, checksum: '' }];
    return sums.length > 1 ? sums.shift()! : sums[0]!;
  };
  return {
    of,
    async *all() {
      for (const thing of looks.keys()) yield [thing, await of(thing)] as const;
    },
  };
};
const nothing = async () => {};
/** Compares while time passes as the comparison needs it. */
const compared = async (...given: readonly [read: Summed, built: Summed, follow: () => Promise<void>]) => {
  const clock = new TestClock();
  const comparing = compare(...given, clock);
  await clock.advance(60_000);
  return comparing;
};

describe('two generations', () => {
  it('are equal if all their sums are', async () => {
    const outcome = await compared(
      summed({ a: [sum('1')], b: [sum('2')] }),
      summed({ b: [sum('2')], a: [sum('1')] }),
      nothing,
    );
    expect(outcome).toEqual({ compared: 2, differences: [], unsettled: [] });
  });

  it('are checked again where one was behind the other', async () => {
    const read = summed({ a: [sum('1', 1), sum('3', 3), sum('3', 3)] });
    const built = summed({ a: [sum('2', 2), sum('2', 2), sum('3', 3)] });
    let followed = 0;
    const outcome = await compared(read, built, async () => {
      followed += 1;
    });
    expect([outcome.differences, outcome.unsettled, followed]).toEqual([[], [], 2]);
  });

  it('differ where neither changes, or where one has nothing', async () => {
    const read = summed({ a: [sum('1', 0)], b: [sum('2')], c: [sum('3')] });
    const built = summed({ a: [sum('9', 0)], c: [sum('3')] });
    const { compared: many, differences, unsettled } = await compared(read, built, nothing);
    expect(differences).toEqual([
      { thing: 'a', how: 'read 1 row (1), built 1 row (9)' },
      { thing: 'b', how: 'read 1 row (2), built 0 rows ()' },
    ]);
    expect([many, unsettled]).toEqual([3, []]);
  });

  it('differ where both change together and are never equal', async () => {
    const moving = (letter: string) => Array.from({ length: 30 }, (_, i) => sum(`${letter}${i}`, i + 1));
    const { differences } = await compared(summed({ a: moving('x') }), summed({ a: moving('y') }), nothing);
    expect(differences.map(({ thing }) => thing)).toEqual(['a']);
  });

  it('are examined closely where their sums differ', async () => {
    const read = summed({ a: [sum('1')], b: [sum('2')], c: [sum('3')] });
    const built = summed({ a: [sum('1')], b: [sum('9')], c: [sum('9')] });
    const closely = async (thing: string) => (thing === 'c' ? 'message 5' : undefined);
    expect(await compareClosely(read, built, nothing, closely)).toEqual({
      compared: 3,
      differences: [{ thing: 'c', how: 'message 5' }],
      unsettled: [],
    });
  });

  it('are not compared to the end if too much differs', async () => {
    const things = Object.fromEntries(Array.from({ length: 1200 }, (_, i) => [`t${i}`, [sum('1')]]));
    const { differences, unsettled } = await compareClosely(summed(things), summed({}), nothing, async () => 'gone');
    expect([differences.length, unsettled.length]).toEqual([1000, 200]);
  });
});
