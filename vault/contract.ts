/** The contract of every vault, whatever the store. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Code, SignIn, Vault, VaultRecord } from './port.ts';
import { openText, sealText } from './sealing.ts';

/** A vault that a spec may close and open again on the same data. */
export interface OpenedVault {
  readonly vault: Vault;
  reopen(): Promise<Vault>;
  /** Closes the vault and removes its data. */
  dispose(): Promise<void>;
}

const PLACE = { stream: 'channel-1', eventId: 'event-1' };

export const vaultContract = (name: string, open: () => Promise<OpenedVault>) =>
  describe(`${name} is a vault`, () => {
    let opened: OpenedVault;
    let vault: Vault;
    beforeEach(async () => {
      opened = await open();
      vault = opened.vault;
    });
    afterEach(() => opened.dispose());

    describe('signing secret', () => {
      it('has at least 32 bytes, never changes and differs between vaults', async () => {
        const secret = await vault.signingSecret();
        expect(secret.length).toBeGreaterThanOrEqual(32);
        vault = await opened.reopen();
        expect(await vault.signingSecret()).toEqual(secret);
        const other = await open();
        expect(await other.vault.signingSecret()).not.toEqual(secret);
        await other.dispose();
      });
    });

    describe('usernames', () => {
      it('go to the first user to reserve them, whatever their case or Unicode form', async () => {
        expect(await vault.reserveUsername('Alice', '1')).toEqual({ userId: '1', confirmed: false });
        for (const spelling of ['Alice', 'alice', 'ALICE', 'Ａｌｉｃｅ', 'alice\ufe0f', 'a\u200blice', '\u3164alice'])
          expect(await vault.reserveUsername(spelling, '2')).toEqual({ userId: '1', confirmed: false });
        expect(await vault.usernameHolder('aLICE')).toEqual({ userId: '1', confirmed: false });
        expect(await vault.usernameHolder('bob')).toBeUndefined();
      });

      it('have one holder when 100 users ask at once', async () => {
        const answers = await Promise.all(
          Array.from({ length: 100 }, (_, i) => vault.reserveUsername(i % 2 === 0 ? 'alice' : 'ALICE', `${i}`)),
        );
        expect(new Set(answers.map(({ userId }) => userId)).size).toBe(1);
        expect((await vault.usernameHolder('alice'))?.userId).toBe(answers[0]!.userId);
      });

      it('may be reserved again by their holder', async () => {
        await vault.reserveUsername('alice', '1');
        expect(await vault.reserveUsername('alice', '1')).toEqual({ userId: '1', confirmed: false });
        await vault.confirmUsername('alice', '1');
        expect(await vault.reserveUsername('alice', '1')).toEqual({ userId: '1', confirmed: true });
      });

      it('can be confirmed by their holder only', async () => {
        await vault.reserveUsername('alice', '1');
        await vault.confirmUsername('alice', '2');
        expect(await vault.usernameHolder('alice')).toEqual({ userId: '1', confirmed: false });
        await vault.confirmUsername('Alice', '1');
        expect(await vault.usernameHolder('alice')).toEqual({ userId: '1', confirmed: true });
      });

      it('can be released by their holder only, and only while unconfirmed', async () => {
        await vault.reserveUsername('alice', '1');
        await vault.releaseUsername('alice', '2');
        expect(await vault.usernameHolder('alice')).toBeDefined();
        await vault.releaseUsername('ALICE', '1');
        expect(await vault.usernameHolder('alice')).toBeUndefined();
        await vault.reserveUsername('alice', '2');
        await vault.confirmUsername('alice', '2');
        await vault.releaseUsername('alice', '2');
        expect(await vault.usernameHolder('alice')).toEqual({ userId: '2', confirmed: true });
      });

      it('are taken over from an unconfirmed holder by one of many users', async () => {
        await vault.reserveUsername('alice', '1');
        const answers = await Promise.all(['2', '3', '4'].map((id) => vault.takeOverUsername('Alice', '1', id)));
        expect(new Set(answers.map((answer) => answer?.userId)).size).toBe(1);
        expect(['2', '3', '4']).toContain(answers[0]?.userId);
      });

      it('cannot be taken over once confirmed, or from a user who does not hold them', async () => {
        await vault.reserveUsername('alice', '1');
        expect(await vault.takeOverUsername('alice', '9', '2')).toEqual({ userId: '1', confirmed: false });
        await vault.confirmUsername('alice', '1');
        expect(await vault.takeOverUsername('alice', '1', '2')).toEqual({ userId: '1', confirmed: true });
        expect(await vault.takeOverUsername('nobody', '1', '2')).toBeUndefined();
      });

      it('survive a reopening', async () => {
        await vault.reserveUsername('alice', '1');
        await vault.confirmUsername('alice', '1');
        vault = await opened.reopen();
        expect(await vault.reserveUsername('alice', '2')).toEqual({ userId: '1', confirmed: true });
      });
    });

    describe('passwords', () => {
      it('are verified, and the last one set counts', async () => {
        await vault.setPassword('1', 'correct horse');
        expect(await vault.verifyPassword('1', 'correct horse')).toBe(true);
        expect(await vault.verifyPassword('1', 'Correct horse')).toBe(false);
        await vault.setPassword('1', 'battery staple');
        expect(await vault.verifyPassword('1', 'correct horse')).toBe(false);
        vault = await opened.reopen();
        expect(await vault.verifyPassword('1', 'battery staple')).toBe(true);
      });

      it('are changed by who knows the present one, and put back as they were', async () => {
        await vault.setPassword('1', 'correct horse');
        expect(await vault.changePassword('1', 'a guess', 'battery staple')).toBeUndefined();
        expect(await vault.changePassword('nobody', 'a guess', 'battery staple')).toBeUndefined();
        const undo = await vault.changePassword('1', 'correct horse', 'battery staple');
        expect(await vault.verifyPassword('1', 'battery staple')).toBe(true);
        await undo?.();
        expect(await vault.verifyPassword('1', 'correct horse')).toBe(true);
        const late = await vault.changePassword('1', 'correct horse', 'battery staple');
        await vault.setPassword('1', 'third');
        await late?.();
        expect(await vault.verifyPassword('1', 'third')).toBe(true);
      });

      it('are changed by one of several who ask at once', async () => {
        await vault.setPassword('1', 'correct horse');
        const next = ['one', 'two', 'three'];
        const undos = await Promise.all(next.map((one) => vault.changePassword('1', 'correct horse', one)));
        expect(undos.filter((undo) => undo !== undefined)).toHaveLength(1);
        const winner = next[undos.findIndex((undo) => undo !== undefined)]!;
        expect(await vault.verifyPassword('1', winner)).toBe(true);
      });

      it('are always wrong for users without one', async () => {
        expect(await vault.verifyPassword('1', '')).toBe(false);
        expect(await vault.verifyPassword(undefined, 'anything')).toBe(false);
      });
    });

    describe('token secrets', () => {
      it('are verified, and replaced by a later one', async () => {
        expect(await vault.verifyTokenSecret('1', 'first')).toBe(false);
        await vault.setTokenSecret('1', 'first');
        expect(await vault.verifyTokenSecret('1', 'first')).toBe(true);
        expect(await vault.verifyTokenSecret('2', 'first')).toBe(false);
        await vault.setTokenSecret('1', 'second');
        vault = await opened.reopen();
        expect(await vault.verifyTokenSecret('1', 'first')).toBe(false);
        expect(await vault.verifyTokenSecret('1', 'second')).toBe(true);
      });
    });

    it('puts a replaced token secret back, or none, unless it has been replaced again', async () => {
      await (await vault.setTokenSecret('2', 'only'))();
      expect(await vault.verifyTokenSecret('2', 'only')).toBe(false);
      await vault.setTokenSecret('1', 'first');
      await (await vault.setTokenSecret('1', 'second'))();
      expect(await vault.verifyTokenSecret('1', 'first')).toBe(true);
      const late = await vault.setTokenSecret('1', 'second');
      await vault.setTokenSecret('1', 'third');
      await late();
      expect(await vault.verifyTokenSecret('1', 'third')).toBe(true);
    });

    it('keeps the first of the token secrets that are added, and says whether it is the given one', async () => {
      expect(await vault.addTokenSecret('1', 'first')).toBe(true);
      expect(await vault.addTokenSecret('1', 'second')).toBe(false);
      expect(await vault.addTokenSecret('1', 'first')).toBe(true);
      expect(await vault.verifyTokenSecret('1', 'first')).toBe(true);
      await vault.setTokenSecret('1', 'third');
      expect(await vault.addTokenSecret('1', 'first')).toBe(false);
    });

    describe('keys', () => {
      it('are created once per person and kept', async () => {
        const [first, second] = await Promise.all([vault.createKey('1'), vault.createKey('1')]);
        const other = await vault.createKey('2');
        expect(first.equals(second)).toBe(true);
        expect(first.equals(other)).toBe(false);
        vault = await opened.reopen();
        expect((await vault.key('1'))?.equals(first)).toBe(true);
        expect((await vault.createKey('1')).equals(first)).toBe(true);
      });

      it('are found in one call, without missing ones', async () => {
        const ids = Array.from({ length: 2_500 }, (_, i) => `${i}`);
        for (let at = 0; at < ids.length; at += 100)
          await Promise.all(ids.slice(at, at + 100).map((id) => vault.createKey(id)));
        const keys = await vault.keys([...ids, 'nobody']);
        expect([...keys.keys()].sort()).toEqual([...ids].sort());
        expect(keys.get('17')?.equals((await vault.key('17'))!)).toBe(true);
        expect(await vault.keys([])).toEqual(new Map());
      });

      it('open nothing once destroyed', async () => {
        const key = await vault.createKey('1');
        await vault.createKey('2');
        const sealed = sealText(key, { ...PLACE, by: '1' }, 'a secret');
        expect(openText(await vault.key('1'), PLACE, sealed)).toBe('a secret');
        await vault.erase('1');
        expect(await vault.key('1')).toBeUndefined();
        expect(await vault.keys(['1', '2'])).toEqual(new Map([['2', expect.anything()]]));
        expect(openText(await vault.key('1'), PLACE, sealed)).toBeUndefined();
        vault = await opened.reopen();
        expect(openText(await vault.key('1'), PLACE, sealed)).toBeUndefined();
        expect(openText(await vault.createKey('1'), PLACE, sealed)).toBeUndefined();
      });
    });

    const NOW = 1_000_000;
    const signIn = (id: string, more: Partial<SignIn> = {}): SignIn => ({
      ...{ id, userId: '1', generation: 0, device: 'phone' },
      ...{ created: NOW, lastUsed: NOW, expires: NOW + 100, ...more },
    });
    const invite = (more: Partial<Code> = {}): Code => ({
      ...{ kind: 'registration', userId: null, madeBy: '9', maxUses: 2, created: NOW, expires: NOW + 100, ...more },
    });

    describe('sign-ins', () => {
      it('are kept until their tokens have expired or a later generation begins', async () => {
        await vault.noteSignIn(signIn('a'));
        await vault.noteSignIn(signIn('b', { created: NOW + 1 }));
        await vault.noteSignIn(signIn('c', { userId: '2' }));
        vault = await opened.reopen();
        expect(await vault.signIns('1')).toEqual([signIn('a'), signIn('b', { created: NOW + 1 })]);
        await vault.noteUse({ id: 'a', lastUsed: NOW + 50, expires: NOW + 150 });
        await vault.noteUse({ id: 'nobody', lastUsed: NOW + 50, expires: NOW + 150 });
        const later = signIn('d', { created: NOW + 120, lastUsed: NOW + 120, expires: NOW + 300 });
        await vault.noteSignIn(later);
        expect(await vault.signIns('1')).toEqual([signIn('a', { lastUsed: NOW + 50, expires: NOW + 150 }), later]);
        await vault.noteSignIn(signIn('e', { generation: 1 }));
        expect(await vault.signIns('1')).toEqual([signIn('e', { generation: 1 })]);
      });
    });

    describe('codes', () => {
      it('admit as many as they say, each once, until they expire', async () => {
        const made = await vault.putCode('secret', invite());
        expect(made).toEqual({ ...invite(), id: expect.any(String), uses: 0 });
        expect(made.id).not.toContain('secret');
        expect(await vault.putCode('secret', invite({ maxUses: 9, created: NOW + 1 }))).toEqual(made);
        expect(await vault.useCode('other', '1', NOW)).toBe(false);
        const used = await Promise.all(['1', '2', '3', '4'].map((userId) => vault.useCode('secret', userId, NOW)));
        expect(used.filter(Boolean)).toHaveLength(2);
        const [first] = ['1', '2', '3', '4'].filter((_, n) => used[n]);
        expect(await vault.useCode('secret', first!, NOW)).toBe(true);
        await vault.giveBackCode('secret', first!);
        expect((await vault.code('secret'))?.uses).toBe(1);
        expect(await vault.useCode('secret', '5', NOW + 100)).toBe(false);
        expect(await vault.useCode('secret', '5', NOW + 99)).toBe(true);
      });

      it('are listed by kind, the latest first, and removed', async () => {
        const first = await vault.putCode('one', invite({ maxUses: 0, expires: null }));
        const second = await vault.putCode('two', invite({ created: NOW + 1 }));
        await vault.putCode('three', invite({ kind: 'password-reset', userId: '1' }));
        expect(await vault.codes('registration')).toEqual([second, first]);
        for (let n = 0; n < 5; n += 1) expect(await vault.useCode('one', `${n}`, NOW * 2)).toBe(true);
        expect(await vault.removeCode(first.id)).toBe(true);
        expect(await vault.removeCode(first.id)).toBe(false);
        expect(await vault.useCode('one', '7', NOW)).toBe(false);
        expect(await vault.code('one')).toBeUndefined();
      });
    });

    it('keeps nothing of a person who was erased', async () => {
      await vault.createKey('1');
      await vault.reserveUsername('Alice', '1');
      await vault.confirmUsername('Alice', '1');
      await vault.setPassword('1', 'correct horse');
      await vault.setTokenSecret('1', 'token');
      await vault.noteSignIn(signIn('a'));
      await vault.putCode('reset', invite({ kind: 'password-reset', userId: '1' }));
      await vault.createKey('2');
      for (let time = 0; time < 2; time += 1) await vault.erase('1');
      const records: VaultRecord[] = [];
      for await (const record of vault.records()) records.push(record);
      expect(records.map(({ kind }) => kind)).toEqual(['signing-secret', 'key']);
      expect(await vault.reserveUsername('alice', '3')).toEqual({ userId: '3', confirmed: false });
    });

    describe('the remembered position', () => {
      it('is unknown at first, never decreases within an epoch, and follows a new epoch', async () => {
        expect(await vault.rememberedPosition()).toBeUndefined();
        await vault.rememberPosition('one', 7);
        await vault.rememberPosition('one', 5);
        vault = await opened.reopen();
        expect(await vault.rememberedPosition()).toEqual({ epoch: 'one', position: 7 });
        await vault.rememberPosition('two', 3);
        expect(await vault.rememberedPosition()).toEqual({ epoch: 'two', position: 3 });
      });
    });

    it('can be moved into another vault, which then knows the same people and signs alike', async () => {
      const key = await vault.createKey('1');
      await vault.reserveUsername('Alice', '1');
      await vault.confirmUsername('Alice', '1');
      await vault.reserveUsername('Bob', '2');
      await vault.setPassword('1', 'correct horse');
      await vault.setTokenSecret('3', 'token');
      await vault.noteSignIn(signIn('a'));
      await vault.putCode('secret', invite());
      await vault.useCode('secret', '1', NOW);
      const records: VaultRecord[] = [];
      for await (const record of vault.records()) records.push(record);
      const other = await open();
      let copy = other.vault;
      for (let time = 0; time < 2; time += 1) await copy.restore(records);
      for (const state of ['at once', 'after reopening']) {
        expect(await copy.signingSecret(), state).toEqual(await vault.signingSecret());
        expect((await copy.key('1'))?.equals(key), state).toBe(true);
        expect(await copy.usernameHolder('ALICE'), state).toEqual({ userId: '1', confirmed: true });
        expect(await copy.usernameHolder('bob'), state).toEqual({ userId: '2', confirmed: false });
        expect(await copy.verifyPassword('1', 'correct horse'), state).toBe(true);
        expect(await copy.verifyTokenSecret('3', 'token'), state).toBe(true);
        expect(await copy.signIns('1'), state).toEqual([signIn('a')]);
        expect((await copy.code('secret'))?.uses, state).toBe(1);
        copy = await other.reopen();
      }
      await other.dispose();
    });

    it('stores waiting writes when it is closed', async () => {
      const waiting = vault.createKey('1');
      vault = await opened.reopen();
      expect((await vault.key('1'))?.equals(await waiting)).toBe(true);
    });
  });
