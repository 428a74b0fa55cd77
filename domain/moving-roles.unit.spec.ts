import fc from 'fast-check';
import { either } from 'fp-ts';
import { describe, expect, it } from 'vitest';
import { ALL_PERMISSIONS, byPlace, Permission } from './permissions.ts';
import { moveRoles } from './roles.ts';

const GUILD = '100';
const OWNER = '1';
const ANN = '2';
const IDS = ['301', '302', '303', '304', '305'];

const role = (id: string, position: number) => ({
  ...{ id, name: id, permissions: '0', color: 0, hoist: false, mentionable: false, position, botId: null },
});
const roleStates = fc
  .tuple(...IDS.map(() => fc.integer({ min: 1, max: 6 })))
  .map((positions) => IDS.map((id, n) => role(id, positions[n]!)));

type State = Parameters<typeof moveRoles>[1];
const stateOf = (roles: readonly ReturnType<typeof role>[]): State =>
  ({
    exists: true,
    ownerId: OWNER,
    everyone: String(ALL_PERMISSIONS & ~Permission.administrator),
    roles,
    keys: new Set(),
  }) as unknown as State;

const moving = (
  userId: string,
  has: readonly string[],
  roles: readonly ReturnType<typeof role>[],
  places: ReadonlyMap<string, number>,
) => {
  const decision = moveRoles(
    {
      ...{ guildId: GUILD, key: 'k', actor: { userId, roles: has } },
      places: [...places].map(([id, position]) => ({ id, position })),
    },
    stateOf(roles),
  );
  if (either.isLeft(decision)) return decision.left.name;
  const [event] = decision.right;
  const moved = new Map(event?.type === 'roles-moved' ? event.data.roles.map((one) => [one.id, one]) : []);
  return roles
    .map((one) => moved.get(one.id) ?? one)
    .sort(byPlace)
    .map(({ id }) => id);
};

/** As clients do it: they take one out of the order, put it in elsewhere, and number all of them from 0. */
const numbered = (order: readonly string[]) => new Map([GUILD, ...order].map((id, n) => [id, n]));
const orderOf = (roles: readonly ReturnType<typeof role>[]) => [...roles].sort(byPlace).map(({ id }) => id);

describe('whoever moves one role and numbers all of them anew', () => {
  it('puts it where they want it below their highest, and nowhere else', () => {
    fc.assert(
      fc.property(
        roleStates,
        fc.constantFrom(...IDS),
        fc.nat({ max: 4 }),
        fc.nat({ max: 4 }),
        (roles, highest, from, to) => {
          const order = orderOf(roles);
          const wanted = order.toSpliced(from, 1).toSpliced(to, 0, order[from]!);
          const mine = order.indexOf(highest);
          const isBelow = Math.max(from, to) < mine || from === to;
          expect(moving(ANN, [highest], roles, numbered(wanted))).toEqual(isBelow ? wanted : 'missingPermissions');
          expect(moving(OWNER, [], roles, numbered(wanted))).toEqual(wanted);
        },
      ),
    );
  });

  it('never changes the order of their highest and those above it, whatever numbers they give', () => {
    const numbers = fc
      .dictionary(fc.constantFrom(...IDS), fc.nat({ max: 8 }))
      .map((given) => new Map(Object.entries(given)));
    fc.assert(
      fc.property(roleStates, fc.constantFrom(...IDS), numbers, (roles, highest, places) => {
        const order = orderOf(roles);
        const found = moving(ANN, [highest], roles, places);
        const kept = order.length - order.indexOf(highest);
        if (found !== 'missingPermissions') expect(found.slice(-kept)).toEqual(order.slice(-kept));
      }),
    );
  });
});
