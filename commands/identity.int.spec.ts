import { either } from 'fp-ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryLimiter } from '../coordination/limiter.ts';
import { isSignedIn } from '../projections/views/guild-views/access.ts';
import { systemClock } from '../schemas/clock.ts';
import { StoreUnavailable } from '../schemas/errors.ts';
import { userStream } from '../schemas/streams.ts';
import { createLogger } from '../telemetry/logger.ts';
import { Instance } from '../test/support/write-side.ts';
import { EARLY_MS, Identity } from './identity.ts';
import { Limits } from './limits.ts';
import { CALLER, fullWhile, NO_LIMITS, refusal, right, silentWhile } from './testing.ts';

let instance: Instance;
afterEach(() => instance.close());

const as = (username: string, password = 'correct horse') => ({ username, password, globalName: null });
const register = (username: string) => instance.write.identity.register(as(username), CALLER);
const login = (username: string, password?: string) => {
  const { password: given } = as(username, password);
  return instance.write.identity.login(username, given, CALLER);
};

describe('registering', () => {
  it('gives one account when many register one name at once', async () => {
    instance = await Instance.open();
    const answers = await Promise.all(['ann', 'Ann', 'ANN', 'ann', 'ａnn'].map(register));
    const got = answers.filter(either.isRight);
    expect(got).toHaveLength(1);
    for (const answer of answers) {
      if (either.isLeft(answer))
        expect(answer.left.errors).toHaveProperty(['username', '_errors', 0, 'code'], 'USERNAME_ALREADY_TAKEN');
    }
    expect(await instance.events('user-registered')).toHaveLength(1);
    expect(right(await login('aNN')).userId).toBe(right(got[0]!).userId);
  });

  it("gives no name that looks like somebody else's, whichever came first", async () => {
    instance = await Instance.open();
    right(await register('cop'));
    right(await register('Вор'));
    for (const name of ['сор', 'СОР', 'Bop', 'BOP']) {
      const answer = await register(name);
      expect(answer).toMatchObject(
        either.left({ errors: { username: { _errors: [{ code: 'USERNAME_ALREADY_TAKEN' }] } } }),
      );
    }
    right(await login('ВОР'));
    right(await register('Павел'));
    right(await register('пилот'));
  });

  it('gives back what looks like a name, too, when it comes to nothing', async () => {
    let full = true;
    instance = await Instance.open({ logFor: fullWhile(() => full) });
    expect(refusal(await register('сор'))).toBe('diskFull');
    for (const name of ['сор', 'cop']) expect(await instance.vault.usernameHolder(name)).toBeUndefined();
    full = false;
    right(await register('cop'));
  });

  it('is let once by the setup code while registration is closed, however many use it at once', async () => {
    instance = await Instance.open({ registration: 'closed' });
    const { identity } = instance.write;
    const setupCode = await identity.setupCode();
    const by = (username: string, code: string | null) =>
      identity.register(as(username), { ...CALLER, setupCode: code });
    for (const wrong of [null, '', 'x', `${setupCode}x`])
      expect(refusal(await by('ann', wrong))).toBe('registrationClosed');
    const answers = await Promise.all(['ann', 'ben', 'cleo'].map((name) => by(name, setupCode!)));
    expect(answers.filter(either.isRight)).toHaveLength(1);
    // Each of the others is told why, or to try again.
    for (const answer of answers.filter(either.isLeft))
      expect([answer.left.message, answer.left.name]).toContain(
        answer.left.retryAfter === undefined ? 'Somebody else has registered as the first person' : 'unavailable',
      );
    expect(await identity.setupCode()).toBeUndefined();
    expect(refusal(await by('dora', setupCode!))).toBe('registrationClosed');
    expect(await instance.events('user-registered')).toHaveLength(1);
  });

  it('is let more often from one address while the installation is new, and told why it is not', async () => {
    instance = await Instance.open({
      limits: { registerEarly: { count: 2, seconds: 3600 }, register: { count: 1, seconds: 3600 } },
    });
    for (const name of ['ann', 'ben']) right(await register(name));
    expect(await register('cleo')).toMatchObject(
      either.left({
        name: 'rateLimited',
        message: 'Too many people have registered from this address: 2 is the limit',
      }),
    );
    const { deps } = instance.write;
    const late = { ...deps, now: () => deps.now() + EARLY_MS };
    const limits = { ...NO_LIMITS, register: { count: 1, seconds: 3600 } };
    const later = new Identity(late, new Limits(limits, memoryLimiter(systemClock)), 'open', createLogger('silent'));
    right(await later.register(as('cleo'), CALLER));
    expect(refusal(await later.register(as('dora'), CALLER))).toBe('rateLimited');
  });

  it('is limited as ever in the first days, where there is no other limit for them', async () => {
    instance = await Instance.open({ limits: { register: { count: 1, seconds: 3600 } } });
    right(await register('ann'));
    expect(refusal(await register('ben'))).toBe('rateLimited');
  });

  it('takes over a name whose registration was never stored', async () => {
    instance = await Instance.open();
    await instance.vault.reserveUsername('ann', '77');
    const { userId } = right(await register('ann'));
    expect(await instance.vault.usernameHolder('ann')).toEqual({ userId, confirmed: true });
  });

  it('does not take over a name whose registration was stored but not confirmed', async () => {
    instance = await Instance.open();
    await instance.vault.reserveUsername('ann', '77');
    await instance.vault.createKey('77');
    right(
      await instance.write.identity.create(
        { userId: '77', username: 'other', globalName: null, kind: 'person', correlationId: 'c' },
        async () => either.right(undefined),
      ),
    );
    expect(refusal(await register('ann'))).toBe('invalidForm');
    expect(await instance.vault.usernameHolder('ann')).toEqual({ userId: '77', confirmed: true });
  });

  it('gives the name back when the log cannot store it', async () => {
    let full = true;
    instance = await Instance.open({ logFor: fullWhile(() => full) });
    expect(refusal(await register('ann'))).toBe('diskFull');
    expect(await instance.vault.usernameHolder('ann')).toBeUndefined();
    full = false;
    right(await register('ann'));
  });

  it('gives one account when nobody knows whether the first registration was stored', async () => {
    let silent = true;
    instance = await Instance.open({ logFor: silentWhile(() => silent) });
    expect(refusal(await register('ann'))).toBe('outcomeUnknown');
    silent = false;
    expect(refusal(await register('ann'))).toBe('invalidForm');
    expect(await instance.events('user-registered')).toHaveLength(1);
    expect(right(await login('ann')).userId).toBe((await instance.vault.usernameHolder('ann'))!.userId);
  });

  it('is answered when the vault cannot confirm the name, which nobody else gets', async () => {
    instance = await Instance.open();
    const confirm = vi.spyOn(instance.vault, 'confirmUsername').mockRejectedValue(new StoreUnavailable('vault', 1));
    const { userId } = right(await register('ann'));
    confirm.mockRestore();
    expect(refusal(await register('ann'))).toBe('invalidForm');
    expect(await instance.vault.usernameHolder('ann')).toEqual({ userId, confirmed: true });
  });

  it('is refused where the instance is closed, and limited per address', async () => {
    instance = await Instance.open({ registration: 'closed' });
    expect(refusal(await register('ann'))).toBe('registrationClosed');
    await instance.reopen({ registration: 'open', limits: { register: { count: 1, seconds: 60 } } });
    right(await register('ann'));
    expect(refusal(await register('ben'))).toBe('rateLimited');
    right(await instance.write.identity.register(as('ben'), { ...CALLER, address: '10.0.0.1' }));
  });

  it('keeps neither name nor password in the log', async () => {
    instance = await Instance.open();
    const { userId } = right(await register('somebody'));
    const stored = JSON.stringify(await instance.stream(userStream(userId)));
    for (const secret of ['somebody', 'correct horse', 'argon2']) expect(stored).not.toContain(secret);
  });
});

describe('signing in', () => {
  it('needs the name and the password, and does not reveal which was wrong', async () => {
    instance = await Instance.open();
    const { userId } = right(await register('ann'));
    expect(right(await login('ANN')).userId).toBe(userId);
    const [wrong, nobody] = [await login('ann', 'wrong'), await login('nobody')];
    expect(refusal(wrong)).toBe('invalidForm');
    expect(wrong).toEqual(nobody);
  });

  it('works after a restart', async () => {
    instance = await Instance.open();
    const { userId } = right(await register('ann'));
    await instance.reopen();
    expect(right(await login('ann')).userId).toBe(userId);
  });

  it('is limited per account and address, however the name is spelt', async () => {
    instance = await Instance.open({ limits: { login: { count: 2, seconds: 60 } } });
    right(await register('ann'));
    const spellings = ['ann', 'ANN', 'ａnn', 'an\u200bn', 'ann\ufe0f', '\u{e0061}ann'];
    const answers = [];
    for (const spelling of spellings) answers.push(refusal(await login(spelling, 'wrong')));
    expect(answers).toEqual(['invalidForm', 'invalidForm', ...Array(4).fill('rateLimited')]);
  });

  it('is limited per address over all accounts', async () => {
    instance = await Instance.open({ limits: { loginAddress: { count: 2, seconds: 60 } } });
    for (const name of ['ann', 'ben']) expect(refusal(await login(name))).toBe('invalidForm');
    expect(refusal(await login('cat'))).toBe('rateLimited');
  });

  it('waits its turn, which neither those who hung up nor another address hold up', async () => {
    instance = await Instance.open({ bounds: { logins: 60, loginsOfAddress: 50 } });
    right(await register('ann'));
    const { identity } = instance.write;
    const verify = vi.spyOn(instance.vault, 'verifyPassword');
    let gone = false;
    const flood = { address: '10.0.0.1', correlationId: 'c', isGone: () => gone };
    const flooding = Array.from({ length: 200 }, (_, i) => identity.login(`nobody${i}`, 'guess', flood));
    const signingIn = login('ann');
    gone = true;
    right(await signingIn);
    expect(new Set((await Promise.all(flooding)).map(refusal))).toEqual(new Set(['tooManyLogins']));
    expect(verify).toHaveBeenCalledTimes(1);
    verify.mockRestore();
  });

  it('is limited per account and address', async () => {
    instance = await Instance.open({ limits: { login: { count: 2, seconds: 60 } } });
    right(await register('ann'));
    const answers = [await login('ann', 'x'), await login('Ann', 'y'), await login('ann'), await login('ben')];
    expect(answers.map(refusal)).toEqual(['invalidForm', 'invalidForm', 'rateLimited', 'invalidForm']);
  });

  it('is refused for imported names', async () => {
    instance = await Instance.open();
    const user = { userId: '5', username: 'nick', globalName: null, kind: 'imported' as const, correlationId: 'c' };
    right(await instance.write.identity.create(user, async () => either.right(undefined)));
    expect(refusal(await login('nick', ''))).toBe('invalidForm');
  });
});

describe('the tokens of a person', () => {
  const GOOD = 'correct horse';
  const counts = async (token: string): Promise<boolean> => {
    const verified = await instance.tokens.verify(token);
    const user = verified && (await instance.views.guilds.user(verified.userId));
    return user !== undefined && isSignedIn(user, verified!);
  };
  const signedIn = async () => right(await login('ann')).token;
  const logout = async (token: string, everywhere = false) =>
    right(await instance.write.identity.logout(token, everywhere, 'c'));
  const change = (token: string, present: string, next: string) =>
    instance.write.identity.changePassword(token, { present, next }, CALLER);

  beforeEach(async () => {
    instance = await Instance.open();
    right(await register('ann'));
  });

  it('end with their sign-in when it is signed out, refreshed or not, and no others do', async () => {
    const [phone, desktop] = [await signedIn(), await signedIn()];
    const refreshed = right(await instance.write.identity.refresh(phone)).token;
    await logout(phone);
    expect(await Promise.all([phone, refreshed, desktop].map(counts))).toEqual([false, false, true]);
    await logout(phone);
    expect(await instance.events('user-signed-out')).toHaveLength(1);
    expect(await counts(await signedIn())).toBe(true);
  });

  it('all end when signing out everywhere; later ones count', async () => {
    const [phone, desktop] = [await signedIn(), await signedIn()];
    await logout(phone, true);
    expect(await Promise.all([phone, desktop].map(counts))).toEqual([false, false]);
    const later = await signedIn();
    expect(await counts(later)).toBe(true);
    await instance.reopen({});
    expect([await counts(phone), await counts(later)]).toEqual([false, true]);
  });

  it('all end when the password is changed, which needs the present one', async () => {
    const [phone, desktop] = [await signedIn(), await signedIn()];
    expect(refusal(await change(phone, 'guess', 'battery staple'))).toBe('invalidForm');
    expect(await counts(desktop)).toBe(true);
    const next = right(await change(phone, GOOD, 'battery staple')).token;
    expect(await Promise.all([phone, desktop, next].map(counts))).toEqual([false, false, true]);
    expect(refusal(await login('ann'))).toBe('invalidForm');
    right(await login('ann', 'battery staple'));
  });

  it('are no business of a bot', async () => {
    const { userId } = right(await login('ann'));
    const { bot } = await instance.do(userId, 'application.create', { name: 'bot' });
    expect(refusal(await instance.write.identity.refresh(bot.token))).toBe('botsCannot');
    expect(refusal(await instance.write.identity.logout(bot.token, true, 'c'))).toBe('botsCannot');
    expect(refusal(await change(bot.token, '', 'battery staple'))).toBe('botsCannot');
  });
});

describe('a change of the password', () => {
  const [GOOD, NEXT] = ['correct horse', 'battery staple'];
  let full = false;
  let silent = false;
  const counts = async (token: string): Promise<boolean> => {
    const verified = (await instance.tokens.verify(token))!;
    return isSignedIn((await instance.views.guilds.user(verified.userId))!, verified);
  };
  const change = (token: string, next: string = NEXT, key: string | null = null) =>
    instance.write.identity.changePassword(token, { present: GOOD, next }, { ...CALLER, key });
  const passwordsOf = async () => [refusal(await login('ann', GOOD)), refusal(await login('ann', NEXT))];
  let token = '';

  beforeEach(async () => {
    [full, silent] = [false, false];
    instance = await Instance.open({ logFor: (log) => fullWhile(() => full)(silentWhile(() => silent)(log)) });
    ({ token } = right(await register('ann')));
  });

  it('has not happened when the log cannot store that the sign-ins end', async () => {
    full = true;
    expect(refusal(await change(token))).toBe('diskFull');
    expect(await passwordsOf()).toEqual([undefined, 'invalidForm']);
    expect(await counts(token)).toBe(true);
  });

  it('is unknown when the vault cannot be put back either, and completed by a repeat under its key', async () => {
    full = true;
    const { vault } = instance;
    const changing = vault.changePassword.bind(vault);
    const spy = vi.spyOn(vault, 'changePassword').mockImplementation(async (...asked) => {
      await changing(...asked);
      return () => Promise.reject(new StoreUnavailable('vault', 1));
    });
    const answer = await change(token, NEXT, 'k');
    spy.mockRestore();
    expect(answer).toMatchObject(either.left({ name: 'outcomeUnknown', retryAfter: 1 }));
    full = false;
    const next = right(await change(token, NEXT, 'k')).token;
    expect(await Promise.all([token, next].map(counts))).toEqual([false, true]);
    expect(await passwordsOf()).toEqual(['invalidForm', undefined]);
  });

  it('is completed by a repeat under its key when nobody knows whether the log has stored it', async () => {
    silent = true;
    expect(refusal(await change(token, NEXT, 'k'))).toBe('outcomeUnknown');
    silent = false;
    const next = right(await change(token, NEXT, 'k')).token;
    expect(await counts(next)).toBe(true);
    expect(await instance.events('user-signed-out')).toHaveLength(1);
  });

  it('is answered again under its key, whether the former token or the new one asks', async () => {
    const first = right(await change(token, NEXT, 'k')).token;
    const again = [right(await change(token, NEXT, 'k')).token, right(await change(first, NEXT, 'k')).token];
    expect(await Promise.all([first, ...again].map(counts))).toEqual([true, true, true]);
    expect(await instance.events('user-signed-out')).toHaveLength(1);
    expect(refusal(await change(token, 'something else', 'k'))).toBe('keyReused');
    expect(refusal(await change(token, NEXT, 'another'))).toBe('unauthorized');
    expect(refusal(await change(token))).toBe('unauthorized');
  });

  it('succeeds for one of two who ask at once, whose token and password count', async () => {
    const answers = await Promise.all([change(token, 'one of them'), change(token, 'the other')]);
    expect(answers.map(refusal).sort()).toEqual(['invalidForm', undefined]);
    const winner = answers.findIndex(either.isRight);
    expect(await counts(right(answers[winner]!).token)).toBe(true);
    right(await login('ann', ['one of them', 'the other'][winner]));
  });
});

describe('the token of a bot', () => {
  const knows = async (token: string) => (await instance.tokens.verify(token)) !== undefined;

  it('is the same for a repeated command, and that of a later reset counts alone', async () => {
    instance = await Instance.open();
    const { userId: ann } = right(await register('ann'));
    const create = () => instance.do(ann, 'application.create', { name: 'bot' }, { key: 'k' });
    const created = await create();
    const first = created.bot.token;
    expect((await create()).bot.token).toBe(first);
    expect(await knows(first)).toBe(true);
    const reset = async (asking?: { key: string }) =>
      (await instance.do(ann, 'bot.reset', { application_id: created.id }, asking)).token;
    const second = await reset({ key: 'r' });
    expect(await reset({ key: 'r' })).toBe(second);
    expect(await instance.events('user-signed-out')).toHaveLength(1);
    const third = await reset();
    expect(await Promise.all([first, second, third].map(knows))).toEqual([false, false, true]);
    expect((await create()).bot.token).toBeNull();
    expect(await knows(third)).toBe(true);
  });

  it('that was replaced stays dead, however late the command that made it is repeated', async () => {
    instance = await Instance.open();
    const { userId: ann } = right(await register('ann'));
    const { id } = await instance.do(ann, 'application.create', { name: 'bot' });
    const reset = async (key: string) => (await instance.do(ann, 'bot.reset', { application_id: id }, { key })).token;
    const first = await reset('first');
    const second = await reset('second');
    await instance.reopen();
    expect(await reset('first')).toBeNull();
    expect(await Promise.all([first, second].map(knows))).toEqual([false, true]);
    expect(await instance.events('user-signed-out')).toHaveLength(2);
  });

  it('counts on when the log cannot store that another replaces it', async () => {
    let full = false;
    instance = await Instance.open({ logFor: fullWhile(() => full) });
    const { userId: ann } = right(await register('ann'));
    const { id, bot } = await instance.do(ann, 'application.create', { name: 'bot' });
    full = true;
    const reset = () => instance.ask(ann, 'bot.reset', { application_id: id }, { key: 'k' });
    expect(refusal(await reset())).toBe('diskFull');
    expect(await knows(bot.token)).toBe(true);
    full = false;
    const { token } = right(await reset()).result as { token: string };
    expect(await Promise.all([bot.token, token].map(knows))).toEqual([false, true]);
  });

  it('is reset by its owner only', async () => {
    instance = await Instance.open();
    const [ann, ben] = [right(await register('ann')).userId, right(await register('ben')).userId];
    const { id, bot } = await instance.do(ann, 'application.create', { name: 'bot' });
    for (const [who, application_id] of [
      [ben, id],
      [ann, ann],
      [ann, '404'],
    ] as const)
      expect(refusal(await instance.ask(who, 'bot.reset', { application_id }))).toBe('unknownApplication');
    expect(await knows(bot.token)).toBe(true);
  });
});
