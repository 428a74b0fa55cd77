import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryLimiter } from '../coordination/limiter.ts';
import { REMEMBERED_MS } from '../domain/recent-keys.ts';
import { snowflakeTime } from '../domain/snowflake.ts';
import { systemClock } from '../schemas/clock.ts';
import { Quota } from '../schemas/quota.ts';
import { guildStream } from '../schemas/streams.ts';
import { Instance } from '../test/support/write-side.ts';
import { createCommandBus } from './bus.ts';
import { DerivedIds } from './derived-ids.ts';
import { commands } from './features/index.ts';
import { Limits } from './limits.ts';
import { NO_LIMITS, refusal, right } from './testing.ts';

let instance: Instance;
let ann: string;
beforeEach(async () => {
  instance = await Instance.open();
  ann = await instance.register('ann');
});
afterEach(() => instance.close());

/** The instance's write side with a clock that the spec sets. */
const at = async (now: () => number) => {
  const { deps } = instance.write;
  const derivedIds = new DerivedIds(instance.log, await instance.vault.signingSecret(), now);
  const entrance = {
    limits: new Limits(NO_LIMITS, memoryLimiter(systemClock)),
    ownWrites: instance.write.ownWrites,
    inProgress: new Quota(9, 9),
  };
  const bus = createCommandBus(commands, { ...deps, derivedIds }, entrance);
  return async (name: string, key: string) => {
    const actor = { userId: ann, kind: 'person', administrator: false } as const;
    const context = { actor, key, onOtherContent: 'refuse', counted: true, correlationId: 'c' } as const;
    const { outcome } = await bus.submit(context, 'guild.create', { name });
    const { answer } = right(outcome);
    return answer.kind === 'guild' ? answer.guild.id : undefined;
  };
};

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

  it('is found again across a window boundary, for at least ten minutes', async () => {
    const edge = Math.ceil(Date.now() / REMEMBERED_MS) * REMEMBERED_MS;
    let now = edge - 1;
    const create = await at(() => now);
    const first = await create('One', 'k');
    for (const later of [edge, edge + 1, edge - 1 + REMEMBERED_MS]) {
      now = later;
      expect(await create('One', 'k')).toBe(first);
    }
    now = edge + 2 * REMEMBERED_MS;
    expect(await create('One', 'k')).not.toBe(first);
  });

  it('has an id close to its creation time, which nobody can guess without the secret of the instance', async () => {
    const now = Date.now();
    const of = (secret: string) => new DerivedIds(instance.log, Buffer.from(secret), () => now).id('k', guildStream);
    expect(Math.abs(snowflakeTime(await of('a')) - now)).toBeLessThanOrEqual(REMEMBERED_MS);
    expect(await of('a')).not.toBe(await of('b'));
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
