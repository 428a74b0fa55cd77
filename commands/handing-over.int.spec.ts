/** A guild is handed to somebody who goes at the same moment. Each order of the two is forced. */

import { either } from 'fp-ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventLog } from '../log/port.ts';
import type { Views } from '../projections/port.ts';
import type { GuildReader } from '../projections/views/guild-views/view.ts';
import type { NewParleyEvent } from '../schemas/events/catalogue.ts';
import { guildStream, memberStream } from '../schemas/streams.ts';
import { Instance } from '../test/support/write-side.ts';
import { refusal, right } from './testing.ts';

/** The views do not know yet that this person is a member. */
let notYetIn: string | undefined;
const viewsFor = (views: Views): Views => {
  const { guilds } = views;
  const member: GuildReader['member'] = async (guildId, userId) =>
    userId === notYetIn ? undefined : guilds.member(guildId, userId);
  return Object.assign(Object.create(views) as Views, {
    guilds: Object.assign(Object.create(guilds) as GuildReader, { member }),
  });
};

let instance: Instance;
let ann: string;
let ben: string;
let guild_id: string;
let channel: string;
/** Runs before an append to this stream, once. */
let before: { readonly stream: string; readonly type: string; readonly run: () => Promise<unknown> } | undefined;

const logFor = (log: EventLog): EventLog =>
  Object.create(log, {
    append: {
      value: async (request: Parameters<EventLog['append']>[0]) => {
        if (request.stream === before?.stream && request.events.some(({ type }) => type === before!.type)) {
          const { run } = before;
          before = undefined;
          await run();
        }
        return log.append(request);
      },
    },
  }) as EventLog;

beforeEach(async () => {
  before = undefined;
  notYetIn = undefined;
  instance = await Instance.open({ logFor, viewsFor });
  [ann, ben] = [await instance.register('ann'), await instance.register('ben')];
  ({ id: guild_id, channel } = await instance.guild(ann));
  await instance.join(ann, channel, ben);
  await instance.settled();
});
afterEach(() => instance.close());

const handOver = (by = ann, owner_id = ben) => instance.ask(by, 'guild.edit', { guild_id, owner_id });
const leave = (who = ben) => instance.ask(who, 'guild.leave', { guild_id });

/** As another node would: straight into the log. */
const leavesElsewhere = async () => {
  const stream = memberStream(guild_id, ben);
  const { sequence } = await instance.log.streamHead(stream);
  const [joined] = await instance.stream(stream);
  const left = {
    ...{ ...joined!, id: crypto.randomUUID(), sequence: sequence + 1, key: null },
    ...{ type: 'member-left', schema: 2, data: { guildId: guild_id, userId: ben, how: 'left' } },
  } as unknown as NewParleyEvent;
  const appended = await instance.log.append({ stream, expected: sequence, events: [left] });
  expect(either.isRight(appended)).toBe(true);
};

const ownerIsMember = async (ownerId: string) => {
  await instance.settled();
  const row = await instance.views.guilds.guild(guild_id);
  expect(row?.ownerId).toBe(ownerId);
  expect(await instance.views.guilds.member(guild_id, ownerId)).toBeDefined();
};

describe('a guild that is handed on', () => {
  it('keeps its owner when the next one leaves on another node before they have taken it', async () => {
    before = { stream: memberStream(guild_id, ben), type: 'ownership-taken', run: leavesElsewhere };
    expect(refusal(await handOver())).toBe('unknownMember');
    await ownerIsMember(ann);
    expect(await instance.events('ownership-taken')).toEqual([]);
  });

  it('reaches somebody of whom the views do not know yet that they are in', async () => {
    notYetIn = ben;
    right(await handOver());
    await instance.settled();
    expect((await instance.views.guilds.guild(guild_id))?.ownerId).toBe(ben);
  });

  it('keeps the next owner once they have taken it: they can neither leave nor be kicked or banned', async () => {
    const cleo = await instance.register('cleo');
    await instance.join(ann, channel, cleo);
    const { id: role_id } = await instance.do(ann, 'role.create', { guild_id, permissions: '8' });
    await instance.do(ann, 'member.role.add', { guild_id, user_id: cleo, role_id });
    await instance.settled();
    let refusals: (string | undefined)[] = [];
    const run = async () => {
      const byCleo = { guild_id, user_id: ben };
      const asked = [
        await leave(),
        await instance.ask(cleo, 'member.kick', byCleo),
        await instance.ask(cleo, 'member.ban', byCleo),
      ];
      refusals = asked.map(refusal);
    };
    before = { stream: guildStream(guild_id), type: 'guild-transferred', run };
    right(await handOver());
    expect(refusals).toEqual(['ownerCannotLeave', 'missingPermissions', 'missingPermissions']);
    await ownerIsMember(ben);
  });

  it('is left by the former owner, and by one who had it in between', async () => {
    right(await handOver());
    right(await handOver(ben, ann));
    right(await leave());
    await instance.join(ann, channel, ben);
    right(await handOver());
    right(await leave(ann));
    await ownerIsMember(ben);
  });

  it('goes to one of two to whom it is handed at once, and the other may leave', async () => {
    const cleo = await instance.register('cleo');
    await instance.join(ann, channel, cleo);
    await Promise.all([handOver(), handOver(ann, cleo)]);
    await instance.settled();
    const { ownerId } = (await instance.views.guilds.guild(guild_id))!;
    expect([ben, cleo]).toContain(ownerId);
    right(await leave(ownerId === ben ? cleo : ben));
    expect(refusal(await leave(ownerId))).toBe('ownerCannotLeave');
    await ownerIsMember(ownerId);
  });

  it('is handed on also when the server stops right after the wish was stored', async () => {
    await instance.reopen({ processes: false });
    const asked = handOver();
    await expect.poll(async () => (await instance.events('transfer-requested')).length).toBe(1);
    await instance.reopen();
    await asked.catch(() => undefined);
    await ownerIsMember(ben);
  });
});
