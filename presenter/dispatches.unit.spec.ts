import { beforeEach, describe, expect, it } from 'vitest';
import { Story } from '../projections/testing.ts';
import { audiencesOf, type ParleyEvent } from '../schemas/events/catalogue.ts';
import { Intent } from '../schemas/gateway/frames.ts';
import { EventRenderer, type Viewer } from './dispatches.ts';
import { directChannel, guild, Shown, textChannel } from './testing.ts';

let shown: Shown;
let renderer: EventRenderer;

beforeEach(() => {
  shown = new Shown().user('1', 'owner').user('2', 'ann');
  renderer = new EventRenderer(shown.presenter, {
    guilds: {
      guild: async (id: string) => (id === guild.id ? guild : undefined),
      channel: async () => textChannel,
      channelsOf: async () => [textChannel],
      invitesOf: async () => [],
      member: async () => undefined,
    } as never,
    unread: { heads: async () => new Map(), head: async () => undefined, readStates: async () => [] } as never,
  });
});

const render = (event: ParleyEvent, guildId: string | null = null) => renderer.render(event, guildId, new Set());
const seenBy = async (event: ParleyEvent, viewers: readonly Viewer[]) =>
  (await render(event)).map(({ visibleTo }) => viewers.map((viewer) => visibleTo === null || visibleTo(viewer)));

const everybody = [
  { userId: '1', shardId: 0, isIn: () => true, rolesIn: () => [], timedOutUntil: () => 0 },
  { userId: '2', shardId: 0, isIn: () => true, rolesIn: () => [], timedOutUntil: () => 0 },
  { userId: '2', shardId: 1, isIn: () => true, rolesIn: () => [], timedOutUntil: () => 0 },
];

describe('the dispatches of an event', () => {
  it('count what is unread behind a marker that goes back as of the event, however far the views are behind', async () => {
    const story = new Story();
    const channels = { '30': 4 };
    const event = story.log.add('read-2', 'channels-read', { userId: '2', channels, back: { '30': 9 }, whole: false });
    const viewsWith = (mentions: number, ordinal: number) => ({
      guilds: { channel: async () => textChannel, member: async () => undefined } as never,
      unread: {
        heads: async () => new Map([['30', { ordinal, messageId: String(ordinal) }]]),
        readStates: async () => [{ channelId: '30', mentions }],
      } as never,
    });
    const asOf = new Map([[event.position, viewsWith(3, 4)]]);
    const behind = new EventRenderer(shown.presenter, viewsWith(0, 3), (position) => asOf.get(position)!);
    expect(await behind.render(event, null, new Set())).toMatchObject([
      { name: 'MESSAGE_ACK', data: { channel_id: '30', message_id: '4', manual: true, mention_count: 3 } },
    ]);
  });

  it('have a name and a payload, with the intents of where it happened', async () => {
    const event = shown.posted(shown.message('7', '2', 'hello'));
    expect(await render(event, guild.id)).toEqual([
      {
        name: 'MESSAGE_CREATE',
        data: expect.objectContaining({ id: '7', content: 'hello', guild_id: guild.id }),
        intents: Intent.guildMessages,
        carriesText: true,
        shows: ['7'],
        visibleTo: null,
      },
    ]);
    const direct = shown.posted(shown.message('8', '2', 'psst'));
    expect(await render(direct, null)).toMatchObject([{ intents: Intent.directMessages, carriesText: false }]);
  });

  it('fail for no event of a guild that is deleted since, and show nobody its channels and threads', async () => {
    const story = new Story();
    const gone = '90';
    const thread = story.thread('92', gone, '91', '2');
    const events = [
      ...[thread, story.archiveThread(thread.data), story.archiveThread(thread.data, false)],
      ...[story.deleteThread(thread.data), story.channel('91', gone), story.editChannel('91', gone, {})],
      ...[
        story.deleteChannel('91', gone),
        story.post('91', '2'),
        story.edit('91', 1, '2'),
        story.react('91', 1, '2', '👍'),
      ],
      ...[
        story.role(gone, '93'),
        story.editRole(gone, '93', '0'),
        story.deleteRole(gone, '93'),
        story.giveRoles(gone, '2', []),
      ],
      ...[
        story.join(gone, '2'),
        story.ban(gone, '2'),
        story.unban(gone, '2'),
        story.timeOut(gone, '2', 1),
        story.leave(gone, '2'),
      ],
      ...[story.editGuild(gone, {}), story.transferGuild(gone, '2'), story.deleteGuild(gone)],
    ];
    for (const event of events) await expect(render(event, gone), event.type).resolves.toBeInstanceOf(Array);
    expect(await seenBy(thread, [everybody[0]!])).toEqual([[false], [false]]);
    expect(await render(events[4]!, gone)).toEqual([]);
  });

  it('do not show the text of a message that has been deleted since, whatever the event', async () => {
    const event = shown.posted(shown.message('7', '2', 'hello'));
    const deleted = new Set(['7']);
    expect(await renderer.render(event, guild.id, deleted)).toMatchObject([{ data: { id: '7', content: '' } }]);
    const pinned = { ...event, type: 'message-pinned', data: { messageId: '7', pinnedTime: 1 } } as never;
    expect((await renderer.render(pinned, guild.id, deleted))[0]).toMatchObject({ data: { id: '7', content: '' } });
  });

  it('show a reply without the message it replies to when that has been deleted since', async () => {
    shown.message('7', '2', 'hello');
    const reply = shown.posted(shown.message('8', '1', 'hi', { replyTo: '7' }));
    expect(await render(reply, guild.id)).toMatchObject([
      { data: { content: 'hi', referenced_message: { content: 'hello' } }, shows: ['8', '7'] },
    ]);
    expect(await renderer.render(reply, guild.id, new Set(['7']))).toMatchObject([
      { data: { content: 'hi', referenced_message: null } },
    ]);
  });

  it('of a pinned message that is deleted leave the message to MESSAGE_DELETE', async () => {
    shown.message('7', '2', 'hello');
    const story = new Story();
    const about = { messageId: '7', ordinal: 7, author: '2', userId: '2', lastPinnedTime: null, guildId: null };
    const down = (deleted: boolean) =>
      story.log.add('channel-20', 'message-unpinned', { ...about, deleted }) as ParleyEvent;
    const names = async (event: ParleyEvent) => (await render(event, guild.id)).map(({ name }) => name);
    expect(await names(down(false))).toEqual(['MESSAGE_UPDATE', 'CHANNEL_PINS_UPDATE']);
    expect(await names(down(true))).toEqual(['CHANNEL_PINS_UPDATE']);
  });

  it('go to everybody but the user who joins or leaves', async () => {
    const story = new Story();
    for (const event of [story.join(guild.id, '2'), story.leave(guild.id, '2')])
      expect(await seenBy(event, everybody)).toEqual([[true, false, false]]);
  });

  it('show each of two people their direct channel, on the shard that has it', async () => {
    const event = new Story().direct(directChannel.id, '1', '2');
    expect(await seenBy(event, everybody)).toEqual([
      [true, false, false],
      [false, true, false],
    ]);
  });

  it('tell whoever comes into a group and goes of the channel, and the others of the person', async () => {
    const story = new Story();
    for (const [event, names] of [
      [story.enter('40', '2', '1', '2'), ['CHANNEL_CREATE', 'CHANNEL_RECIPIENT_ADD']],
      [story.exit('40', '2', '1'), ['CHANNEL_DELETE', 'CHANNEL_RECIPIENT_REMOVE']],
    ] as const) {
      expect((await render(event)).map(({ name }) => name)).toEqual(names);
      expect(await seenBy(event, everybody)).toEqual([
        [false, true, false],
        [true, false, false],
      ]);
    }
  });

  it('exist for every event that clients see, and for no other', async () => {
    const story = new Story();
    story.user('2');
    story.guild(guild.id, '1');
    story.channel(textChannel.id, guild.id);
    story.direct(directChannel.id, '1', '2');
    story.invite('code', guild.id, textChannel.id, '1', 3);
    story.redeem('code', guild.id, '2');
    story.join(guild.id, '2');
    story.post(textChannel.id, '2');
    story.react(textChannel.id, 1, '2', '👍');
    story.unreact(textChannel.id, 1, '2', '👍');
    story.remove(textChannel.id, 1, '2');
    story.read('2', { [textChannel.id]: 1 });
    story.enter('40', '2', '1', '2');
    story.editGroup('40', 'Us', '1', '1', '2');
    story.exit('40', '2', '1');
    story.leave(guild.id, '2');
    for (const event of [...story.log.all, shown.edited(shown.message('7', '2', 'x'), 'y')])
      expect((await render(event)).length > 0, event.type).toBe(audiencesOf(event).length > 0);
  });
});
