import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { idempotencyKey, REMEMBERED_MS } from '../domain/recent-keys.ts';
import { snowflakeSource, snowflakeTime } from '../domain/snowflake.ts';
import { systemClock } from '../schemas/clock.ts';
import { Instance } from '../test/support/write-side.ts';
import { CreationNames } from './creation-names.ts';
import { Mailboxes } from './mailbox.ts';
import { StateStore } from './states.ts';
import { CALLER, refusal, right } from './testing.ts';

let instance: Instance;
let ann: string;
beforeEach(async () => {
  instance = await Instance.open();
  ann = await instance.register('ann');
});
afterEach(() => instance.close());

/** The names as another node gives them, with a clock that the spec sets. */
const node = async (now: () => number = Date.now) => {
  const { log, views, keys, vault } = instance;
  const mailboxes = new Mailboxes({
    ...{ log, keys, waiting: 100, onConflict: () => {} },
    states: new StateStore(log, views.snapshots),
    clock: { ...systemClock, wallTime: now },
    onFailure: (_, failure) => {
      throw failure;
    },
  });
  return new CreationNames({ mailboxes, ids: snowflakeSource(() => 2), now, secret: await vault.signingSecret() });
};

const creating = (key?: string) => ({ key, actor: ann, correlationId: 'c' });

const stored = async () => (await instance.log.readAll({ after: 0, limit: 1000 })).events;

describe('what a command creates', () => {
  it('is created once per key, whatever kind of thing it is', async () => {
    const both = <T>(make: () => Promise<T>) => Promise.all([make(), make()]);
    const guilds = await both(() => instance.do(ann, 'guild.create', { name: 'One' }, { key: 'k' }));
    expect(guilds[0].id).toBe(guilds[1].id);
    expect(guilds[1].channels).toHaveLength(1);
    const guild_id = guilds[0].id;
    const channels = await both(() => instance.do(ann, 'channel.create', { guild_id, name: 'more' }, { key: 'k' }));
    expect(channels[0]).toEqual(channels[1]);
    const channel_id = channels[0].id;
    const invites = await both(() => instance.do(ann, 'invite.create', { channel_id }, { key: 'k' }));
    expect(invites[0]).toEqual(invites[1]);
    const bots = await both(() => instance.do(ann, 'application.create', { name: 'robot' }, { key: 'k' }));
    expect(bots[0].id).toBe(bots[1].id);

    await instance.settled();
    const types = (await instance.log.readAll({ after: 0, limit: 100 })).events.map(({ type }) => type);
    const count = (type: string) => types.filter((one) => one === type).length;
    expect(
      ['guild-created', 'channel-created', 'member-joined', 'invite-created', 'user-registered'].map(count),
    ).toEqual([1, 2, 1, 1, 2]);
  });

  it('is not created over a socket for a key that created something else', async () => {
    const { id: guild_id } = await instance.do(ann, 'guild.create', { name: 'One' }, { key: 'k' });
    const again = async (...asked: Parameters<typeof instance.ask>) => refusal(await instance.ask(...asked));
    expect(await again(ann, 'guild.create', { name: 'Two' }, { key: 'k' })).toBe('keyReused');
    const { id: channel_id } = await instance.do(ann, 'channel.create', { guild_id, name: 'more' }, { key: 'k' });
    expect(await again(ann, 'channel.create', { guild_id, name: 'other' }, { key: 'k' })).toBe('keyReused');
    await instance.do(ann, 'invite.create', { channel_id }, { key: 'k' });
    expect(await again(ann, 'invite.create', { channel_id, max_uses: 5 }, { key: 'k' })).toBe('keyReused');
  });

  it('is the same after a restart and after a rebuild of the views', async () => {
    const { id } = await instance.do(ann, 'guild.create', { name: 'One' }, { key: 'k' });
    for (const forgetViews of [false, true]) {
      await instance.reopen({ forgetViews });
      expect((await instance.do(ann, 'guild.create', { name: 'One' }, { key: 'k' })).id).toBe(id);
    }
  });

  it('differs for another key, for another author, and without a key', async () => {
    const ben = await instance.register('ben');
    const make = (userId: string, key?: string) =>
      instance.do(userId, 'guild.create', { name: 'One' }, key === undefined ? {} : { key });
    const made = [await make(ann, 'k'), await make(ann, 'l'), await make(ben, 'k'), await make(ann), await make(ann)];
    expect(new Set(made.map(({ id }) => id)).size).toBe(5);
  });

  it('has the time of its creation in its id, whether there is a key or not', async () => {
    await instance.do(ann, 'guild.create', { name: 'One' }, { key: 'k' });
    const { id: guild_id } = await instance.do(ann, 'guild.create', { name: 'Two' });
    await instance.do(ann, 'channel.create', { guild_id, name: 'more' }, { key: 'k' });
    await instance.do(ann, 'application.create', { name: 'robot' }, { key: 'k' });
    await instance.do(ann, 'application.create', { name: 'robot' });
    const credentials = { username: 'ben', password: 'correct horse', globalName: null };
    right(await instance.write.identity.register(credentials, { ...CALLER, key: 'k' }));
    await instance.settled();
    const ages = (await stored()).flatMap(({ type, data, time }) => {
      const created = (id: string) => [time - snowflakeTime(id)];
      if (type === 'guild-created') return created(data.guildId);
      if (type === 'channel-created') return created(data.channelId);
      return type === 'user-registered' ? created(data.userId) : [];
    });
    expect(ages).toHaveLength(9);
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...ages)).toBeLessThan(5000);
  });

  it('has the id that a first attempt recorded and did not use', async () => {
    const key = idempotencyKey(ann, 'guild.create', 'k');
    const id = right(await (await node()).id(creating(key)));
    expect((await instance.do(ann, 'guild.create', { name: 'One' }, { key: 'k' })).id).toBe(id);
  });

  it('has one name for a key that two nodes are given at once', async () => {
    const nodes = [await node(), await node()];
    for (const key of ['a', 'b', 'c']) {
      const names = await Promise.all(nodes.flatMap((one) => [one.id(creating(key)), one.id(creating(key))]));
      expect(new Set(names.map(right)).size).toBe(1);
    }
    const codes = await Promise.all(nodes.map((one) => one.code(creating('d'))));
    expect(new Set(codes.map(right)).size).toBe(1);
  });

  it('is found again for at least ten minutes, also by a node whose clock is behind', async () => {
    let now = Date.now();
    const names = await node(() => now);
    const first = right(await names.id(creating('k')));
    for (const later of [REMEMBERED_MS, -REMEMBERED_MS]) {
      now += later;
      expect(right(await names.id(creating('k')))).toBe(first);
      now -= later;
    }
    now += 3 * REMEMBERED_MS;
    const next = right(await names.id(creating('k')));
    expect(next).not.toBe(first);
    expect(snowflakeTime(next)).toBe(now);
    expect(right(await names.id(creating('k')))).toBe(next);
  });

  it('leaves no stream without a key, and with one a stream that does not tell the key', async () => {
    const names = await node();
    await names.id(creating());
    await names.code(creating());
    const before = await stored();
    expect(before.map(({ type }) => type)).not.toContain('creation-named');
    await names.id(creating('what the client chose'));
    const [recorded, ...more] = (await stored()).slice(before.length);
    expect(recorded).toMatchObject({ type: 'creation-named', actor: ann });
    expect(recorded!.stream).toMatch(/^creation-[0-9a-f]{64}$/);
    expect(JSON.stringify(recorded)).not.toContain('client chose');
    expect(more).toEqual([]);
  });

  it('is refused to callers who may not create it', async () => {
    const ben = await instance.register('ben');
    const guild = await instance.guild(ann);
    const channel = { guild_id: guild.id, name: 'x' };
    expect(refusal(await instance.ask(ben, 'channel.create', channel))).toBe('unknownGuild');
    expect(refusal(await instance.ask(ben, 'invite.create', { channel_id: guild.channel }))).toBe('unknownChannel');
    await instance.join(ann, guild.channel, ben);
    expect(refusal(await instance.ask(ben, 'channel.create', channel))).toBe('missingPermissions');
    const overwrites = [{ id: guild.id, type: 0 as const, allow: '-1', deny: 'x' }];
    const wrong = await instance.ask(ann, 'channel.create', { ...channel, permission_overwrites: overwrites });
    expect(refusal(wrong)).toBe('invalidForm');
    const robot = { name: 'robot' };
    expect(refusal(await instance.ask(ben, 'application.create', robot, { kind: 'bot' }))).toBe('botsCannot');
    expect(refusal(await instance.ask(ben, 'application.create', { name: '  x  ' }))).toBe('invalidForm');
  });
});
