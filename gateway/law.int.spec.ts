/** The gateway's laws over random histories: resuming and starting again both end in the state after live delivery. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messageId, type Story } from '../projections/testing.ts';
import { type Frame, GatewayClient } from '../test/support/gateway-client.ts';
import { defaultGatewayConfig } from './config.ts';
import { EVERYTHING, guildWith, hiddenChannel, type Station, tokenOf, World } from './testing.ts';

type Step =
  | {
      readonly kind: 'post' | 'reply' | 'edit' | 'remove' | 'pin' | 'unpin' | 'react' | 'unreact' | 'direct';
      readonly at: number;
      readonly by: number;
    }
  | { readonly kind: 'join' | 'leave'; readonly guild: number; readonly by: number }
  | { readonly kind: 'channel'; readonly guild: number; readonly view: number }
  | { readonly kind: 'overwrite'; readonly at: number; readonly whom: number; readonly view: number }
  | { readonly kind: 'role'; readonly guild: number; readonly view: number }
  | { readonly kind: 'roles'; readonly guild: number; readonly by: number; readonly has: number }
  | { readonly kind: 'read'; readonly at: number }
  | { readonly kind: 'thread'; readonly at: number; readonly by: number }
  | { readonly kind: 'end' };

const small = fc.nat({ max: 5 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom('post', 'reply', 'edit', 'remove', 'pin', 'unpin', 'react', 'unreact'),
      at: small,
      by: small,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('direct' as const), at: small, by: small }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('join', 'leave'), guild: small, by: small }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('channel' as const), guild: small, view: small }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('overwrite' as const), at: small, whom: small, view: small }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('role' as const), guild: small, view: small }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('roles' as const), guild: small, by: small, has: small }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('read' as const), at: small }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('thread' as const), at: small, by: small }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const) }) },
);

/**
 * Plays steps into a story, each as a command would, and skips steps that make no sense. Every play has its own people
 * and guilds.
 */
class Play {
  /** The user whose sessions are compared: joins, leaves, and sees some of the hidden channels. */
  readonly watcher: string;
  /** Is in both guilds from the beginning. */
  readonly bot: string;
  private readonly story: Story;
  private readonly owner: string;
  private readonly people: readonly string[];
  private guilds: readonly string[];
  private readonly direct: string;
  private channels: string[] = [];
  private readonly messages: { channel: string; ordinal: number; by: string; gone: boolean }[] = [];
  private readonly ordinals = new Map<string, number>();
  private readonly members = new Set<string>();
  private readonly reactions = new Set<string>();
  private readonly guildOf = new Map<string, string>();
  private readonly overwritten = new Set<string>();
  /** By guild. An id is never used again. */
  private readonly roles = new Map<string, 'there' | 'deleted'>();
  private pins: { readonly message: Play['messages'][number]; readonly pinnedTime: number }[] = [];
  private pinnedTime = 0;
  private directOpen = false;
  private next: number;

  constructor(story: Story, number: number) {
    // All ids have one length, so that the id of a guild's first channel (the guild's id and a 1) is unique.
    const first = (10_000 + number) * 1_000;
    const id = (n: number) => String(first + n);
    this.story = story;
    this.people = [id(1), id(2), id(3)];
    [this.owner, this.watcher] = this.people as [string, string];
    this.guilds = [id(10), id(20)];
    this.direct = id(99);
    this.bot = id(4);
    this.next = first + 100;
    for (const person of this.people) story.user(person);
    story.user(this.bot, 'bot', this.owner);
    for (const guild of this.guilds) {
      const channel = guildWith(story, guild, this.owner, this.bot);
      this.channels.push(channel);
      this.guildOf.set(channel, guild);
    }
  }

  take(step: Step): void {
    const { story, watcher } = this;
    const pick = <T>(list: readonly T[], n: number): T | undefined => list[n % Math.max(1, list.length)];
    switch (step.kind) {
      case 'post':
        this.post(pick(this.channels, step.at)!, pick(this.people, step.by)!);
        break;
      case 'reply': {
        const message = pick(this.messages, step.at);
        if (message !== undefined && !message.gone)
          this.post(message.channel, pick(this.people, step.by)!, messageId(message.channel, message.ordinal));
        break;
      }
      case 'edit':
      case 'remove':
      case 'pin':
      case 'unpin':
      case 'react':
      case 'unreact': {
        const message = pick(this.messages, step.at);
        if (message !== undefined && !message.gone) this.change(step.kind, message, pick(this.people, step.by)!);
        break;
      }
      case 'direct':
        if (this.directOpen) break;
        this.directOpen = true;
        story.direct(this.direct, this.owner, watcher);
        this.channels.push(this.direct);
        break;
      case 'join':
      case 'leave': {
        const guild = pick(this.guilds, step.guild)!;
        const who = step.by % 2 === 0 ? watcher : this.people[2]!;
        const key = `${guild} ${who}`;
        if (this.members.has(key) === (step.kind === 'join')) break;
        if (step.kind === 'join') this.members.add(key);
        else this.members.delete(key);
        story[step.kind](guild, who);
        break;
      }
      case 'channel': {
        const guild = pick(this.guilds, step.guild)!;
        const id = String(this.next++);
        if (step.view % 3 === 0) story.channel(id, guild);
        else hiddenChannel(story, id, guild, step.view % 3 === 1 ? watcher : undefined);
        this.channels.push(id);
        this.guildOf.set(id, guild);
        break;
      }
      case 'overwrite':
        this.overwrite(pick(this.channels, step.at)!, step.whom, step.view);
        break;
      case 'role':
        this.role(pick(this.guilds, step.guild)!, step.view);
        break;
      case 'roles': {
        const guild = pick(this.guilds, step.guild)!;
        const who = step.by % 2 === 0 ? watcher : this.people[2]!;
        const given = step.has % 2 === 0 || this.roles.get(guild) !== 'there' ? [] : [`${guild}7`];
        if (this.members.has(`${guild} ${who}`)) story.giveRoles(guild, who, given);
        break;
      }
      case 'thread': {
        const parentId = pick(this.channels, step.at)!;
        const guildId = this.guildOf.get(parentId);
        if (guildId === undefined) break;
        const id = String(this.next++);
        const creator = step.by % 2 === 0 ? watcher : this.owner;
        if (creator === watcher && !this.members.has(`${guildId} ${watcher}`)) break;
        story.thread(id, guildId, parentId, creator);
        break;
      }
      case 'end': {
        // The last one stays.
        const [, ended] = this.guilds;
        if (ended === undefined) break;
        story.deleteGuild(ended);
        this.guilds = this.guilds.filter((id) => id !== ended);
        this.channels = this.channels.filter((id) => this.guildOf.get(id) !== ended);
        for (const message of this.messages) if (this.guildOf.get(message.channel) === ended) message.gone = true;
        break;
      }
      case 'read':
        story.read(watcher, { [pick(this.channels, step.at)!]: step.at + 1 });
    }
  }

  /** For @everyone, for the guild's role or for the watcher: seeing is allowed, denied or left to the guild. */
  private overwrite(channel: string, whom: number, view: number): void {
    const guild = this.guildOf.get(channel);
    if (guild === undefined) return;
    const target = [
      { id: guild, type: 0 as const },
      { id: `${guild}7`, type: 0 as const },
      { id: this.watcher, type: 1 as const },
    ][whom % 3]!;
    const key = `${channel} ${target.id}`;
    if (view % 3 < 2) {
      this.overwritten.add(key);
      const [allow, deny] = view % 3 === 0 ? ['1024', '0'] : ['0', '1024'];
      this.story.overwrite(channel, guild, { ...target, allow, deny });
    } else if (this.overwritten.delete(key)) this.story.deleteOverwrite(channel, guild, target.id);
  }

  /** The guild's only role is created, edited or deleted, or @everyone is edited. */
  private role(guild: string, view: number): void {
    const { story } = this;
    const id = `${guild}7`;
    if (view === 5) story.editRole(guild, guild, '1024', 0);
    else if (view === 4) story.editRole(guild, guild, '0', 0);
    else if (!this.roles.has(guild)) {
      this.roles.set(guild, 'there');
      story.role(guild, id, view % 2 === 0 ? '1024' : '0');
    } else if (this.roles.get(guild) === 'deleted') return;
    else if (view === 3) {
      this.roles.set(guild, 'deleted');
      story.deleteRole(guild, id);
    } else story.editRole(guild, id, view % 2 === 0 ? '1024' : '0');
  }

  private post(channel: string, by: string, replyTo?: string): void {
    const ordinal = (this.ordinals.get(channel) ?? 0) + 1;
    this.ordinals.set(channel, ordinal);
    const reply = replyTo === undefined ? {} : { replyTo };
    this.story.post(channel, by, { nonce: `${channel} ${ordinal}`, ...reply });
    this.messages.push({ channel, ordinal, by, gone: false });
  }

  private change(
    kind: 'edit' | 'remove' | 'pin' | 'unpin' | 'react' | 'unreact',
    message: Play['messages'][number],
    by: string,
  ): void {
    const { story } = this;
    const { channel, ordinal } = message;
    const reaction = `${channel} ${ordinal} ${by}`;
    if (kind === 'edit') story.edit(channel, ordinal, message.by);
    if (kind === 'pin' && !this.pinned(message)) {
      this.pinnedTime += 1;
      this.pins.push({ message, pinnedTime: this.pinnedTime });
      story.pin(channel, ordinal, by, this.pinnedTime);
    }
    if (kind === 'unpin' || kind === 'remove') this.unpin(message, by, kind === 'remove');
    if (kind === 'remove') {
      story.remove(channel, ordinal, message.by);
      message.gone = true;
    }
    if (kind === 'react' && !this.reactions.has(reaction)) {
      this.reactions.add(reaction);
      story.react(channel, ordinal, by, '👍');
    }
    if (kind === 'unreact' && this.reactions.delete(reaction)) story.unreact(channel, ordinal, by, '👍');
  }

  private pinned(message: Play['messages'][number]): boolean {
    return this.pins.some((pin) => pin.message === message);
  }

  private unpin(message: Play['messages'][number], by: string, deleted: boolean): void {
    if (!this.pinned(message)) return;
    this.pins = this.pins.filter((pin) => pin.message !== message);
    const last = this.pins.findLast((pin) => pin.message.channel === message.channel);
    const lastPinnedTime = last?.pinnedTime ?? null;
    this.story.unpin(message.channel, message.ordinal, by, { lastPinnedTime, deleted });
  }
}

interface Message {
  readonly channel: string;
  readonly guild: string | undefined;
  content: string | undefined;
  pinned: boolean;
  readonly reactions: Set<string>;
}

/** `last_pin_timestamp` of a channel. */
type LastPin = string | null;

/** The state of a client that keeps everything it receives. */
const stateAfter = (frames: readonly Frame[]) => {
  const guilds = new Map<
    string,
    {
      name: string;
      channels: Map<string, LastPin>;
      members: Set<string>;
      roles: Map<string, object>;
      overwrites: Map<string, object>;
    }
  >();
  const direct = new Map<string, LastPin>();
  const read = new Map<string, number>();
  const messages = new Map<string, Message>();
  const message = ({ id, channel_id: channel, guild_id: guild }: Frame['d']) => {
    const known: Message = messages.get(id) ?? {
      channel,
      guild,
      content: undefined,
      pinned: false,
      reactions: new Set(),
    };
    messages.set(id, known);
    return known;
  };
  for (const { t, d } of frames) {
    switch (t) {
      case 'READY':
        for (const channel of d.private_channels) direct.set(channel.id, channel.last_pin_timestamp);
        break;
      case 'GUILD_CREATE':
        guilds.set(d.id, {
          name: d.name,
          channels: new Map(d.channels.map((channel: Frame['d']) => [channel.id, channel.last_pin_timestamp])),
          members: new Set(d.members.map((member: { user: { id: string } }) => member.user.id)),
          roles: new Map(d.roles.map((role: { id: string }) => [role.id, role])),
          overwrites: new Map(d.channels.map((channel: Frame['d']) => [channel.id, channel.permission_overwrites])),
        });
        break;
      case 'GUILD_DELETE':
        guilds.delete(d.id);
        for (const [id, { guild }] of messages) if (guild === d.id) messages.delete(id);
        break;
      case 'CHANNEL_CREATE':
        if (d.guild_id !== undefined) guilds.get(d.guild_id)!.overwrites.set(d.id, d.permission_overwrites);
        (guilds.get(d.guild_id)?.channels ?? direct).set(d.id, d.last_pin_timestamp);
        break;
      case 'CHANNEL_DELETE':
        guilds.get(d.guild_id)!.channels.delete(d.id);
        guilds.get(d.guild_id)!.overwrites.delete(d.id);
        for (const [id, { channel }] of messages) if (channel === d.id) messages.delete(id);
        break;
      case 'CHANNEL_UPDATE':
        expect(guilds.get(d.guild_id)!.channels.has(d.id)).toBe(true);
        guilds.get(d.guild_id)!.overwrites.set(d.id, d.permission_overwrites);
        break;
      case 'GUILD_ROLE_CREATE':
      case 'GUILD_ROLE_UPDATE':
        guilds.get(d.guild_id)!.roles.set(d.role.id, d.role);
        break;
      case 'GUILD_ROLE_DELETE':
        guilds.get(d.guild_id)!.roles.delete(d.role_id);
        break;
      case 'CHANNEL_PINS_UPDATE':
        (guilds.get(d.guild_id)?.channels ?? direct).set(d.channel_id, d.last_pin_timestamp);
        break;
      case 'GUILD_MEMBER_ADD':
        guilds.get(d.guild_id)!.members.add(d.user.id);
        break;
      case 'GUILD_MEMBER_REMOVE':
        guilds.get(d.guild_id)!.members.delete(d.user.id);
        break;
      case 'MESSAGE_CREATE':
      case 'MESSAGE_UPDATE':
        message(d).content = d.content;
        message(d).pinned = d.pinned;
        break;
      case 'MESSAGE_DELETE':
        messages.delete(d.id);
        break;
      case 'MESSAGE_REACTION_ADD':
        message({ ...d, id: d.message_id }).reactions.add(d.user_id);
        break;
      case 'MESSAGE_REACTION_REMOVE':
        message({ ...d, id: d.message_id }).reactions.delete(d.user_id);
        break;
      case 'MESSAGE_ACK':
        read.set(d.channel_id, d.ordinal);
    }
  }
  return { guilds, direct, read, messages };
};

/** How many cuts of a history to check: all would be slow, few find little. */
const CUTS = 6;
const dispatches = (frames: readonly Frame[]) => frames.filter((frame) => frame.op === 0);

/** Of a member who leaves later the log tells no update: the views know nothing of them any more. */
const isNotOfWhoLeaves = ({ t, d }: Frame, index: number, frames: readonly Frame[]): boolean =>
  t !== 'GUILD_MEMBER_UPDATE' ||
  !frames
    .slice(index + 1)
    .some(
      (later) => later.t === 'GUILD_MEMBER_REMOVE' && later.d.guild_id === d.guild_id && later.d.user.id === d.user.id,
    );

/**
 * Removes fields that are shown as of now and that no client state depends on: the author's membership, the id beside a
 * read ordinal, and whether a message that is replied to is pinned or edited, which its own dispatches say.
 */
const withoutHints = (frame: Frame, index: number, frames: readonly Frame[]): Frame => {
  const { member: _, ...d } = frame.d;
  // A pin shows its message as it is now; an edit since then has its own dispatch.
  if (frame.t === 'MESSAGE_UPDATE' && frames[index + 1]?.t === 'CHANNEL_PINS_UPDATE')
    return { ...frame, d: { id: d.id, pinned: d.pinned } };
  // It shows the channel as it is now. What has changed since has its own dispatch, and the last one holds.
  if (frame.t === 'CHANNEL_UPDATE') return { ...frame, d: { id: d.id } };
  if (frame.t === 'MESSAGE_ACK') d.message_id = null;
  // A pin shows the message as it is now.
  if (frame.t === 'MESSAGE_UPDATE') d.edited_timestamp = null;
  if (d.referenced_message) d.referenced_message = d.referenced_message.id;
  return { ...frame, d };
};

const history = fc.array(fc.array(step, { maxLength: 6 }), { maxLength: 8 });
/** Long enough that most have a pin in a guild that the watcher is in. */
const longHistory = fc.array(fc.array(step, { minLength: 5, maxLength: 8 }), { minLength: 6, maxLength: 8 });

describe('state', () => {
  let world: World;
  let station: Station;
  /** Two stations without recent events. One of them reads the log in small pages. */
  let cold: Station;
  let paging: Station;
  let plays = 0;

  beforeAll(async () => {
    world = await World.open();
    station = await world.station();
    cold = await world.station({ ringBytes: 0 });
    paging = await world.station({ ringBytes: 0, resumes: { ...defaultGatewayConfig.resumes, page: 3 } });
  });
  afterAll(() => world.close());

  /** The dispatches that a live session of the watcher received from its start on. */
  const watched = async (steps: readonly (readonly Step[])[]) => {
    plays += 1;
    const play = new Play(world.story, plays);
    const client = await station.identified(play.watcher);
    for (const turn of steps) {
      for (const one of turn) play.take(one);
      await world.received(client);
    }
    await client.cut();
    return { userId: play.watcher, frames: dispatches(client.frames), session_id: client.session().session_id };
  };

  it('is the same after a resume from any position, from the ring or from the log, as after live delivery', async () => {
    const cuts = fc.array(fc.nat(), { minLength: CUTS, maxLength: CUTS });
    await fc.assert(
      fc.asyncProperty(history, cuts, async (steps, cutAt) => {
        const { userId, frames, session_id } = await watched(steps);
        const first = frames.findIndex((frame) => frame.t === 'PARLEY_POSITION');
        for (const cut of cutAt) {
          const seen = frames.slice(0, first + 1 + (cut % (frames.length - first)));
          const replies: Frame[][] = [];
          for (const at of [station, cold, paging]) {
            const client = await at.resumed(userId, { session_id, seq: seen.at(-1)!.s! });
            replies.push(dispatches(client.frames));
            await client.cut();
          }
          const compared = (reply: Frame[]) => reply.filter(isNotOfWhoLeaves).map(withoutHints);
          for (const reply of replies.slice(1)) expect(compared(reply)).toEqual(compared(replies[0]!));
          for (const reply of replies) expect(stateAfter([...seen, ...reply])).toEqual(stateAfter(frames));
          const all = [...seen, ...replies[0]!];
          const positions = all.map((frame) => frame.s!);
          expect(positions).toEqual([...positions].sort((a, b) => a - b));
        }
      }),
      { numRuns: 25 },
    );
    expect(new Set(station.counters.resumes)).toEqual(new Set(['ring']));
    for (const at of [cold, paging]) expect(new Set(at.counters.resumes)).toEqual(new Set(['log']));
  });

  it('never has an s that falls, whatever happens while a session starts or resumes', async () => {
    await fc.assert(
      fc.asyncProperty(longHistory, longHistory, async (before, meanwhile) => {
        plays += 1;
        const play = new Play(world.story, plays);
        const first = await station.identified(play.watcher);
        const session = first.session();
        for (const one of before.flat()) play.take(one);
        await world.received(first);
        const token = tokenOf(play.watcher);
        const resuming = await Promise.all([station, paging].map((at) => GatewayClient.connect(at.base)));
        const fresh = await GatewayClient.connect(station.base, ({ t }) => {
          // A bot gets the rest once it has answered the ping after READY, which it does when it reads again.
          if (t === 'READY') fresh.socket.pause();
        });
        const starting = [fresh, ...resuming];
        fresh.write(2, { token: tokenOf(play.bot), intents: EVERYTHING });
        await fresh.dispatch('READY');
        for (const client of resuming) client.write(6, { token, ...session });
        for (const turn of meanwhile) {
          for (const one of turn) play.take(one);
          await new Promise((resolve) => setImmediate(resolve));
        }
        await world.settled();
        fresh.socket.resume();
        await Promise.all([fresh.dispatch('PARLEY_POSITION'), ...resuming.map((client) => client.dispatch('RESUMED'))]);
        await world.received(...starting);
        // A heartbeat says nothing of the position while frames wait: the next one does.
        await world.received(...starting);
        for (const client of starting) {
          const positions = dispatches(client.frames).map((frame) => frame.s!);
          expect(positions).toEqual([...positions].sort((a, b) => a - b));
          // Only people are told the position on heartbeats.
          if (client !== fresh) expect(positions.at(-1)).toBe(await world.story.log.head());
          await client.cut();
        }
        await first.cut();
      }),
      { numRuns: 25 },
    );
  });

  it('has the same guilds and channels after a new start as after live delivery', async () => {
    await fc.assert(
      fc.asyncProperty(longHistory, async (steps) => {
        const { userId, frames } = await watched(steps);
        const client = await station.identified(userId);
        const { guilds, direct } = stateAfter(dispatches(client.frames));
        await client.cut();
        const live = stateAfter(frames);
        expect({ guilds, direct }).toEqual({ guilds: live.guilds, direct: live.direct });
      }),
      { numRuns: 40 },
    );
  });
});
