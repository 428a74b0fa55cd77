import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ADMINISTRATORS_STREAM } from '../schemas/streams.ts';
import { administratorsFold, administratorsIn, changeAdministrator } from './administrators.ts';
import { events, History, refusal } from './testing.ts';

const PEOPLE = ['1', '2', '3'];
const history = () => new History(administratorsFold, ADMINISTRATORS_STREAM);
let keys = 0;
const change = (actor: string, userId: string, administers: boolean, able: readonly string[] = PEOPLE) => {
  keys += 1;
  return { actor, userId, administers, first: '1', mayAct: (id: string) => able.includes(id), key: `k${keys}` };
};

describe('who administers the installation', () => {
  it('begins with the first person, who names others', () => {
    const told = history().given((state) => changeAdministrator(change('1', '2', true), state));
    expect(administratorsIn(told.state, '1')).toEqual(['1', '2']);
    expect(events(changeAdministrator(change('2', '1', true), told.state))).toEqual([]);
    told.given((state) => changeAdministrator(change('2', '1', false), state));
    expect(administratorsIn(told.state, '1')).toEqual(['2']);
    expect(refusal(changeAdministrator(change('1', '3', true), told.state))).toBe('onlyAdministrator');
  });

  it('is never nobody who can sign in', () => {
    const two = history().given((state) => changeAdministrator(change('1', '2', true), state)).state;
    expect(refusal(changeAdministrator(change('1', '1', false, ['1']), two))).toBe('lastAdministrator');
    expect(refusal(changeAdministrator(change('1', '1', false), administratorsFold.initial()))).toBe(
      'lastAdministrator',
    );
  });

  it('is somebody after any changes, and each of them is made by one of those', () => {
    const step = fc.tuple(fc.constantFrom(...PEOPLE), fc.constantFrom(...PEOPLE), fc.boolean());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const told = history();
        for (const [actor, userId, administers] of steps) {
          const before = administratorsIn(told.state, '1');
          const decision = changeAdministrator(change(actor, userId, administers), told.state);
          expect(refusal(decision) === 'onlyAdministrator').toBe(!before.includes(actor));
          if (decision._tag === 'Right') told.record(decision.right);
          expect(administratorsIn(told.state, '1')).not.toEqual([]);
        }
      }),
    );
  });
});
