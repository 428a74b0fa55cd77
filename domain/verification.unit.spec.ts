import { describe, expect, it } from 'vitest';
import { snowflakeTime } from './snowflake.ts';
import { isTooNew } from './verification.ts';

const MINUTE = 60_000;
const ANN = '1576330504217559040';
const registered = snowflakeTime(ANN);
const roles = [{ id: '7', permissions: '0', position: 1 }];
const guild = (verificationLevel: number) => ({ ownerId: '1', verificationLevel, roles });
const member = (joinedTime = registered, held: string[] = []) => ({ userId: ANN, roles: held, joinedTime });

describe('a guild that wants to know its people', () => {
  it.each([
    [0, 0, false],
    [1, 0, false],
    [2, 4, true],
    [2, 5, false],
    [3, 5, true],
    [3, 9, true],
    [3, 10, false],
    [4, 9, true],
    [4, 10, false],
  ])(
    'at level %i lets a person who came with their account write after %i minutes: too new is %s',
    (level, minutes, tooNew) => {
      expect(isTooNew(guild(level), member(), registered + minutes * MINUTE)).toBe(tooNew);
    },
  );

  it('lets those write at once who have a role, and its owner', () => {
    expect(isTooNew(guild(4), member(registered, ['7']), registered)).toBe(false);
    // A role that is deleted is none.
    expect(isTooNew(guild(4), member(registered, ['8']), registered)).toBe(true);
    expect(isTooNew({ ...guild(4), ownerId: ANN }, member(), registered)).toBe(false);
  });

  it('knows an old account that has just joined', () => {
    const later = registered + 100 * MINUTE;
    expect(isTooNew(guild(2), member(later), later)).toBe(false);
    expect(isTooNew(guild(3), member(later), later)).toBe(true);
  });
});
