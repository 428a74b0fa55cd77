import { either } from 'fp-ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Views } from '../projections/port.ts';
import type { GuildReader } from '../projections/views/guild-views/view.ts';
import { TestClock } from '../schemas/clock.testing.ts';
import { Instance } from '../test/support/write-side.ts';
import { Accounts } from './accounts.ts';
import { dueDeletions, LOOK_MS } from './deletions.ts';

const CALLER = { address: '192.0.2.1', correlationId: 'c', isGone: () => false };
const PASSWORD = 'correct horse battery';
const DAY = 86_400_000;

/** The views do not know yet who administers the installation. */
let late = false;
const lateViews = (views: Views): Views => {
  const { guilds } = views;
  const administrators = async () => (late ? [] : guilds.administrators());
  return Object.assign(Object.create(views) as Views, {
    guilds: Object.assign(Object.create(guilds) as GuildReader, { administrators }),
  });
};

let instance: Instance;
beforeEach(async () => {
  late = false;
  instance = await Instance.open({ viewsFor: lateViews });
});
afterEach(() => instance.close());

const register = async (username: string): Promise<string> => {
  const signedIn = await instance.write.identity.register({ username, password: PASSWORD, globalName: null }, CALLER);
  if (either.isLeft(signedIn)) throw new Error(signedIn.left.message);
  return signedIn.right.userId;
};
const askToDelete = async (userId: string) => {
  const { deps, identity } = instance.write;
  const accounts = new Accounts(deps, identity, { limits: { login: async () => undefined }, deletionMs: 7 * DAY });
  return accounts.deleteOwn(userId, PASSWORD, CALLER);
};
const standingOf = async (userId: string) => (await instance.views.guilds.user(userId))!.standing;

/** Looks once, at a time so many milliseconds from now. */
const lookAfter = async (ms: number): Promise<void> => {
  const { deps } = instance.write;
  const clock = new TestClock();
  const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const deletions = dueDeletions({ ...deps, now: () => deps.now() + ms, clock, logger });
  deletions.start();
  await clock.advance(LOOK_MS);
  await deletions.stop();
};

describe('an account whose owner has asked for its deletion', () => {
  it('is deleted once that is due, and its key destroyed', async () => {
    await register('first');
    const ada = await register('ada');
    expect(either.isRight(await askToDelete(ada))).toBe(true);
    await lookAfter(7 * DAY - 60_000);
    expect(await standingOf(ada)).toMatchObject({ deleted: false, due: expect.any(Number) });
    expect(await instance.vault.key(ada)).toBeDefined();
    await lookAfter(7 * DAY);
    expect(await standingOf(ada)).toEqual({ deleted: true, due: null, disabled: false });
    expect(await instance.vault.key(ada)).toBeUndefined();
    expect(await instance.vault.usernameHolder('ada')).toBeUndefined();
  });

  it('is deleted after a restart too', async () => {
    await register('first');
    const ada = await register('ada');
    await askToDelete(ada);
    await instance.reopen();
    await lookAfter(7 * DAY);
    expect((await standingOf(ada)).deleted).toBe(true);
  });

  it('is kept when they have signed in before', async () => {
    await register('first');
    const ada = await register('ada');
    await askToDelete(ada);
    expect(either.isRight(await instance.write.identity.login('ada', PASSWORD, CALLER))).toBe(true);
    await lookAfter(7 * DAY);
    expect(await standingOf(ada)).toEqual({ deleted: false, due: null, disabled: false });
    expect(await instance.vault.key(ada)).toBeDefined();
  });

  it('is not that of the last administrator, nor deleted without the password', async () => {
    const first = await register('first');
    const refusal = await askToDelete(first);
    expect(either.isLeft(refusal) && refusal.left.name).toBe('lastAdministrator');
    const ada = await register('ada');
    const { deps, identity } = instance.write;
    const accounts = new Accounts(deps, identity, { limits: { login: async () => undefined }, deletionMs: 0 });
    const wrong = await accounts.deleteOwn(ada, 'not the password', CALLER);
    expect(either.isLeft(wrong) && wrong.left.name).toBe('invalidForm');
    expect(either.isRight(await accounts.deleteOwn(ada, PASSWORD, CALLER))).toBe(true);
    expect((await standingOf(ada)).deleted).toBe(true);
  });

  it('is not that of the last administrator, whatever the views know of administrators yet', async () => {
    const first = await register('first');
    const ada = await register('ada');
    await instance.do(first, 'administrator.name', { user_id: ada });
    await instance.do(first, 'administrator.remove', { user_id: first });
    const { deps, identity } = instance.write;
    late = true;
    for (const deletionMs of [0, DAY]) {
      const accounts = new Accounts(deps, identity, { limits: { login: async () => undefined }, deletionMs });
      const refusal = await accounts.deleteOwn(ada, PASSWORD, CALLER);
      expect(either.isLeft(refusal) && refusal.left.name).toBe('lastAdministrator');
    }
    late = false;
    await instance.do(ada, 'administrator.name', { user_id: first });
    late = true;
    expect(either.isRight(await askToDelete(ada))).toBe(true);
    // They administer it until they are deleted.
    expect(await instance.events('administrator-changed')).toHaveLength(3);
  });
});
