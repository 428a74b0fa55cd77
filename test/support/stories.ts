/** Random stories of a guild's life, as people tell them over their sockets. */

import fc from 'fast-check';
import { expect, vi } from 'vitest';
import { allows, channelPermissions, Permission } from '../../domain/permissions.ts';
import { type Account, type Api, someName } from './api.ts';
import { type CommandResult, GatewayClient, type Payload } from './gateway-client.ts';
import type { Instance } from './instance.ts';

const EMOJI = ['🔥', '👍', '❤️'];
/** What an act that is carried out is in the audit log. */
const AUDITED: Readonly<Record<string, number>> = {
  'channel.create': 10,
  'channel.delete': 12,
  'member.kick': 20,
  'member.ban': 22,
  'member.unban': 23,
  'role.create': 30,
  'role.delete': 32,
  'thread.begin': 110,
  'thread.create': 110,
};
const [VIEW, NOTHING] = [String(1 << 10), '0'];
const CATEGORY = 4;

type OnMessage =
  | { readonly kind: 'edit' | 'delete' | 'pin' | 'unpin' | 'read'; readonly who: number; readonly which: number }
  | { readonly kind: 'react' | 'unreact'; readonly who: number; readonly which: number; readonly emoji: number }
  | { readonly kind: 'clear'; readonly who: number; readonly which: number; readonly what: 'reactions' | 'messages' };

type OnRights =
  | {
      readonly kind: 'role';
      readonly which: number;
      readonly does: 'create' | 'edit' | 'delete' | 'move';
      readonly sees: boolean;
    }
  | { readonly kind: 'give' | 'take'; readonly who: number; readonly which: number }
  | { readonly kind: 'overwrite'; readonly where: number; readonly whom: number; readonly sees: boolean | null };

interface OnMember {
  readonly kind: 'member';
  readonly who: number;
  readonly does: 'kick' | 'ban' | 'unban' | 'time out' | 'release' | 'rename' | 'unname';
}

interface OnChannel {
  readonly kind: 'channel';
  readonly does: 'create' | 'create secretly' | 'create category' | 'edit' | 'move' | 'delete';
  readonly where: number;
  readonly to: number;
}

interface OnThread {
  readonly kind: 'thread';
  readonly does:
    | 'begin'
    | 'create'
    | 'create privately'
    | 'join'
    | 'leave'
    | 'add'
    | 'remove'
    | 'archive'
    | 'open'
    | 'lock'
    | 'delete';
  readonly who: number;
  readonly which: number;
  readonly whom: number;
}

interface OnGuild {
  readonly kind: 'guild';
  readonly does: 'rename' | 'pause' | 'hand on' | 'hand on' | 'begin anew';
  readonly who: number;
}

interface OnGroup {
  readonly kind: 'group';
  readonly does: 'create' | 'add' | 'remove' | 'leave' | 'rename' | 'hand on';
  readonly who: number;
  readonly which: number;
  readonly whom: number;
}

interface OnPerson {
  readonly kind: 'person';
  readonly does: 'befriend' | 'block' | 'unrelate' | 'rename' | 'vanish';
  readonly who: number;
  readonly other: number;
}

export type Step =
  | OnMessage
  | { readonly kind: 'send'; readonly who: number; readonly where: number; readonly mention: boolean }
  | { readonly kind: 'join' | 'leave'; readonly who: number }
  | OnChannel
  | OnThread
  | OnRights
  | OnMember
  | OnGuild
  | OnGroup
  | OnPerson
  | { readonly kind: 'direct'; readonly who: number; readonly other: number };

const index = fc.nat({ max: 100 });
const one = <const T>(...values: readonly T[]) => fc.constantFrom(...values);

const weighted: readonly (readonly [weight: number, step: fc.Arbitrary<Step>])[] = [
  [6, fc.record({ kind: one('send'), who: index, where: index, mention: fc.boolean() })],
  [4, fc.record({ kind: one('edit', 'delete', 'pin', 'unpin'), who: index, which: index })],
  [3, fc.record({ kind: one('react', 'unreact'), who: index, which: index, emoji: fc.nat({ max: EMOJI.length - 1 }) })],
  [1, fc.record({ kind: one('clear'), who: index, which: index, what: one('reactions', 'messages') })],
  [1, fc.record({ kind: one('read'), who: index, which: index })],
  [
    3,
    fc.record({
      kind: one('channel'),
      does: one<OnChannel['does']>('create', 'create', 'create secretly', 'create category', 'edit', 'move', 'delete'),
      where: index,
      to: index,
    }),
  ],
  [
    5,
    fc.record({
      kind: one('thread'),
      does: one<OnThread['does']>(
        ...(['begin', 'begin', 'create', 'create privately', 'create privately', 'join', 'leave'] as const),
        ...(['add', 'add', 'add', 'remove', 'archive', 'archive', 'open', 'lock', 'delete'] as const),
      ),
      who: index,
      which: index,
      whom: index,
    }),
  ],
  [4, fc.record({ kind: one('join', 'join', 'leave'), who: index })],
  [
    2,
    fc.record({
      kind: one('role'),
      which: index,
      does: one<'create' | 'edit' | 'delete' | 'move'>('create', 'create', 'edit', 'edit', 'delete', 'move'),
      sees: fc.boolean(),
    }),
  ],
  [2, fc.record({ kind: one('give', 'take'), who: index, which: index })],
  [3, fc.record({ kind: one('overwrite'), where: index, whom: index, sees: one<boolean | null>(true, false, null) })],
  [
    3,
    fc.record({
      kind: one('member'),
      who: index,
      does: one<OnMember['does']>('kick', 'ban', 'unban', 'unban', 'time out', 'release', 'rename', 'unname'),
    }),
  ],
  [
    1,
    fc.record({
      kind: one('guild'),
      does: one<OnGuild['does']>('rename', 'pause', 'hand on', 'hand on', 'begin anew'),
      who: index,
    }),
  ],
  [
    2,
    fc.record({
      kind: one('person'),
      does: one<OnPerson['does']>('befriend', 'befriend', 'block', 'unrelate', 'rename', 'vanish'),
      who: index,
      other: index,
    }),
  ],
  [1, fc.record({ kind: one('direct'), who: index, other: index })],
  [
    2,
    fc.record({
      kind: one('group'),
      does: one<OnGroup['does']>('create', 'create', 'add', 'remove', 'leave', 'rename', 'hand on'),
      who: index,
      which: index,
      whom: index,
    }),
  ],
];

/** Ten to forty of them. */
export const steps = fc.array(fc.oneof(...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary }))), {
  minLength: 10,
  maxLength: 40,
  // By default most are short.
  size: 'max',
});

export interface Person {
  readonly account: Account;
  readonly api: Api;
  readonly acting: GatewayClient;
}

/** Whether it may take a right from somebody. */
export const takes = ({ kind }: Step): boolean => ['role', 'take', 'overwrite', 'member', 'guild'].includes(kind);

export const of = <T>(list: readonly T[], which: number): T => list[which % list.length]!;

/** Three people. The first owns a guild, which the others have joined. */
export class Story {
  readonly people: readonly Person[];
  /** Ids of those whose accounts are deleted. */
  readonly gone = new Set<string>();
  /** Each thread's parent, and whether it is private. */
  readonly threads = new Map<string, { readonly parentId: string; readonly isPrivate: boolean }>();
  private readonly instance: Instance;
  private readonly administrator: Account;
  private owner: Person;
  private guildId = '';
  private code = '';
  private channels: string[] = [];
  private categories: string[] = [];
  private readonly groups: string[] = [];
  /** Of this guild. */
  private threadIds: string[] = [];
  private messages: { readonly channel_id: string; readonly message_id: string }[] = [];
  private roles: string[] = [];
  /** Number and target of each act on this guild that the audit log must name. */
  private acts: string[] = [];
  private banned = new Set<string>();
  /** Position of the last event. */
  head = 0;
  private sent = 0;

  private constructor(instance: Instance, people: readonly Person[], administrator: Account) {
    this.instance = instance;
    this.people = people;
    this.administrator = administrator;
    this.owner = people[0]!;
  }

  /** @param administrator of the server */
  static async begin(instance: Instance, administrator: Account): Promise<Story> {
    const people: Person[] = [];
    for (const name of ['owner', 'ann', 'ben']) {
      const account = await instance.api.register(someName(name));
      const acting = await GatewayClient.identified(instance.url, account.token, 0);
      people.push({ account, api: instance.api.as(account), acting });
    }
    const story = new Story(instance, people, administrator);
    await story.foundGuild();
    return story;
  }

  private isGone({ account }: Person): boolean {
    return this.gone.has(account.id);
  }

  /** Those who have accounts. */
  present(): readonly Person[] {
    return this.people.filter((person) => !this.isGone(person));
  }

  /** A refusal is an answer too, since some people may not do some things. */
  private async act(person: Person, type: string, fields: Readonly<Record<string, unknown>>): Promise<CommandResult> {
    if (this.isGone(person)) return { id: '', ok: false };
    const answer = await person.acting.command({ type, ...fields });
    if (answer.ok) this.head = Math.max(this.head, answer.position!);
    if (answer.ok) this.note(type, fields, answer);
    return answer;
  }

  /** Of a thread `channel.delete` is another act, and a ban of whoever is banned is none. */
  private note(type: string, fields: Readonly<Record<string, unknown>>, { result }: CommandResult): void {
    const { user_id, role_id, channel_id } = fields as Readonly<Record<string, string>>;
    const action = AUDITED[type];
    if (action === undefined || (type === 'channel.delete' && !this.channels.includes(channel_id!))) return;
    if (type === 'member.ban' && this.banned.has(user_id!)) return;
    if (type === 'member.ban') this.banned.add(user_id!);
    if (type === 'member.unban') this.banned.delete(user_id!);
    const target = type.endsWith('create') || type === 'thread.begin' ? result.id : (user_id ?? role_id ?? channel_id);
    this.acts.push(`${action} ${target}`);
  }

  /** The audit log of the guild has an entry of each act, and no other of its kind. */
  async isAudited(): Promise<void> {
    const kinds = new Set(Object.values(AUDITED));
    const { api } = this.owner;
    const named: string[] = [];
    for (let before = ''; ; ) {
      const query = `?limit=100${before === '' ? '' : `&before=${before}`}`;
      const page = await api.ask<Payload>('GET', `/guilds/${this.guildId}/audit-logs${query}`);
      for (const { action_type, target_id } of page.audit_log_entries)
        if (kinds.has(action_type)) named.push(`${action_type} ${target_id}`);
      if (page.audit_log_entries.length < 100) break;
      before = page.audit_log_entries.at(-1).id;
    }
    expect(named.toSorted()).toEqual(this.acts.toSorted());
  }

  private async foundGuild(): Promise<void> {
    const made = await this.act(this.owner, 'guild.create', { name: 'Laws' });
    if (!made.ok) return;
    const channelId: string = made.result.channels[0].id;
    [this.guildId, this.channels, this.categories, this.roles] = [made.result.id, [channelId], [], []];
    [this.threadIds, this.messages, this.acts, this.banned] = [[], [], [], new Set()];
    // Nobody waits for the message that somebody has joined: it may come after what the stories compare.
    await this.act(this.owner, 'guild.edit', { guild_id: this.guildId, system_channel_flags: 1 });
    this.code = (await this.act(this.owner, 'invite.create', { channel_id: channelId, max_age: 0 })).result.code;
    for (const person of this.people)
      if (person !== this.owner) await this.act(person, 'guild.join', { code: this.code });
  }

  async go(step: Step): Promise<void> {
    switch (step.kind) {
      case 'send':
        return this.send(step);
      case 'join':
        await this.act(of(this.people, step.who), 'guild.join', { code: this.code });
        return;
      case 'leave':
        await this.act(of(this.people, step.who), 'guild.leave', { guild_id: this.guildId });
        return;
      case 'direct': {
        const recipient_id = of(this.people, step.other).account.id;
        const made = await this.act(of(this.people, step.who), 'dm.create', { recipient_id });
        if (made.ok) this.channels.push(made.result.id);
        return;
      }
      case 'channel':
        return this.onChannel(step);
      case 'thread':
        return this.onThread(step);
      case 'group':
        return this.onGroup(step);
      case 'member':
        return this.onMember(step);
      case 'guild':
        return this.onGuild(step);
      case 'person':
        return this.onPerson(step);
      case 'role':
      case 'give':
      case 'take':
      case 'overwrite':
        return this.onRights(step);
      default:
        return this.onMessage(step);
    }
  }

  private async send({ who, where, mention }: Extract<Step, { kind: 'send' }>): Promise<void> {
    this.sent += 1;
    const content = `message ${this.sent}${mention ? ` <@${of(this.people, where).account.id}>` : ''}`;
    const places = [...this.channels, ...this.threadIds, ...this.groups];
    const said = await this.act(of(this.people, who), 'message.send', { channel_id: of(places, where), content });
    if (said.ok) this.messages.push({ channel_id: said.result.channel_id, message_id: said.result.id });
  }

  /** The owner's doing. */
  private async onChannel({ does, where, to }: OnChannel): Promise<void> {
    const { owner, guildId } = this;
    const on = { channel_id: of(this.channels, where) };
    const secret = { id: guildId, type: 0, allow: NOTHING, deny: VIEW };
    if (does === 'delete') {
      // The invite leads to the first.
      if (where % this.channels.length === 0) return;
      if ((await this.act(owner, 'channel.delete', on)).ok) this.channels.splice(where % this.channels.length, 1);
    } else if (does === 'edit') {
      await this.act(owner, 'channel.edit', {
        ...on,
        name: `called ${this.sent}`,
        topic: to % 2 === 0 ? 'topic' : null,
      });
    } else if (does === 'move') {
      const parent_id = of([...this.categories, null], to);
      const place = { id: on.channel_id, parent_id, lock_permissions: parent_id !== null && where % 2 === 0 };
      await this.act(owner, 'channel.move', { guild_id: guildId, channels: [place] });
    } else {
      const made = await this.act(owner, 'channel.create', {
        ...{ guild_id: guildId, name: 'more', kind: does === 'create category' ? CATEGORY : 0 },
        permission_overwrites: does === 'create secretly' ? [secret] : [],
      });
      if (made.ok) this.channels.push(made.result.id);
      if (made.ok && does === 'create category') this.categories.push(made.result.id);
    }
  }

  private async onThread({ does, who, which, whom }: OnThread): Promise<void> {
    const person = of(this.people, who);
    const isPrivate = does === 'create privately';
    if (does === 'begin' || does === 'create' || isPrivate) {
      if (does === 'begin' && this.messages.length === 0) return;
      const made =
        does === 'begin'
          ? await this.act(person, 'thread.begin', { ...of(this.messages, which), name: 'begun' })
          : await this.act(person, 'thread.create', {
              ...{ channel_id: of(this.channels, which), name: 'free', kind: isPrivate ? 12 : 11 },
            });
      if (!made.ok) return;
      this.threads.set(made.result.id, { parentId: made.result.parent_id, isPrivate });
      this.threadIds.push(made.result.id);
      return;
    }
    if (this.threadIds.length === 0) return;
    const on = { channel_id: of(this.threadIds, which) };
    const user_id = of(this.people, whom).account.id;
    if (does === 'join' || does === 'leave') await this.act(person, `thread.${does}`, on);
    else if (does === 'add' || does === 'remove') await this.act(person, `thread.member.${does}`, { ...on, user_id });
    else if (does === 'delete') await this.act(this.owner, 'channel.delete', on);
    else {
      const changes = { archive: { archived: true }, open: { archived: false, locked: false }, lock: { locked: true } };
      await this.act(does === 'lock' ? this.owner : person, 'channel.edit', { ...on, ...changes[does] });
    }
  }

  private async onGroup({ does, who, which, whom }: OnGroup): Promise<void> {
    const person = of(this.people, who);
    if (does === 'create') {
      const others = this.people.filter((one) => one !== person).map(({ account }) => account.id);
      const made = await this.act(person, 'dm.create', { recipients: others });
      if (made.ok) this.groups.push(made.result.id);
      return;
    }
    if (this.groups.length === 0) return;
    const on = { channel_id: of(this.groups, which) };
    const user_id = of(this.people, whom).account.id;
    if (does === 'add' || does === 'remove') await this.act(person, `recipient.${does}`, { ...on, user_id });
    else if (does === 'leave') await this.act(person, 'channel.delete', on);
    else
      await this.act(person, 'channel.edit', {
        ...on,
        ...(does === 'rename' ? { name: `${which}` } : { owner: user_id }),
      });
  }

  /** The owner's doing. Roles begin with @everyone. */
  private async onRights(step: OnRights): Promise<void> {
    const { people, owner, guildId } = this;
    const on = { guild_id: guildId };
    if (step.kind === 'role') {
      const role_id = of([guildId, ...this.roles], step.which);
      const permissions = step.sees ? VIEW : NOTHING;
      if (step.does === 'create') {
        const made = await this.act(owner, 'role.create', { ...on, permissions });
        if (made.ok) this.roles.push(made.result.id);
      } else if (step.does === 'edit') await this.act(owner, 'role.edit', { ...on, role_id, permissions });
      else if (step.does === 'move')
        await this.act(owner, 'role.move', { ...on, roles: [{ id: role_id, position: 1 }] });
      else {
        const gone = await this.act(owner, 'role.delete', { ...on, role_id });
        if (gone.ok) this.roles.splice(this.roles.indexOf(role_id), 1);
      }
    } else if (step.kind === 'overwrite') {
      const whom = [
        { overwrite_id: of([guildId, ...this.roles], step.whom), kind: 0 },
        { overwrite_id: of(people, step.whom).account.id, kind: 1 },
      ];
      const where = { channel_id: of(this.channels, step.where), ...of(whom, step.whom) };
      if (step.sees === null) await this.act(owner, 'overwrite.delete', where);
      else {
        const bits = step.sees ? { allow: VIEW, deny: NOTHING } : { allow: NOTHING, deny: VIEW };
        await this.act(owner, 'overwrite.set', { ...where, ...bits });
      }
    } else if (this.roles.length > 0) {
      const role = { ...on, user_id: of(people, step.who).account.id, role_id: of(this.roles, step.which) };
      await this.act(owner, step.kind === 'give' ? 'member.role.add' : 'member.role.remove', role);
    }
  }

  /** The owner's doing, on any of the three. */
  private async onMember({ who, does }: OnMember): Promise<void> {
    const { owner, guildId } = this;
    const on = { guild_id: guildId, user_id: of(this.people, who).account.id };
    const changes = {
      'time out': { communication_disabled_until: new Date(Date.now() + 86_400_000).toISOString() },
      release: { communication_disabled_until: null },
      rename: { nick: `called ${this.sent}` },
      unname: { nick: null },
    };
    if (does === 'kick' || does === 'ban' || does === 'unban') await this.act(owner, `member.${does}`, on);
    else await this.act(owner, 'member.edit', { ...on, ...changes[does] });
  }

  /** The owner's doing. */
  private async onGuild({ does, who }: OnGuild): Promise<void> {
    const on = { guild_id: this.guildId };
    if (does === 'rename') await this.act(this.owner, 'guild.edit', { ...on, name: `Called ${this.sent}` });
    else if (does === 'pause') {
      const until = who % 2 === 0 ? null : new Date(Date.now() + 3_600_000).toISOString();
      await this.act(this.owner, 'guild.pause', { ...on, invites_disabled_until: until });
    } else if (does === 'hand on') {
      const next = of(this.people, who);
      const given = await this.act(this.owner, 'guild.edit', { ...on, owner_id: next.account.id });
      if (given.ok) this.owner = next;
    } else if ((await this.act(this.owner, 'guild.delete', on)).ok) await this.foundGuild();
  }

  private async onPerson({ does, who, other }: OnPerson): Promise<void> {
    const person = of(this.people, who);
    const on = { user_id: of(this.people, other).account.id };
    if (does === 'unrelate') await this.act(person, 'relationship.delete', on);
    else if (does === 'rename') await this.act(person, 'user.edit', { global_name: `Called ${this.sent}` });
    else if (does !== 'vanish') await this.act(person, 'relationship.set', { ...on, kind: does === 'block' ? 2 : 1 });
    else if (!this.isGone(person) && this.present().length > 2) {
      const acting = await GatewayClient.identified(this.instance.url, this.administrator.token, 0);
      const deleted = await acting.command({ type: 'user.delete', user_id: person.account.id });
      if (deleted.ok) this.gone.add(person.account.id);
      acting.socket.terminate();
    }
  }

  private async onMessage(step: OnMessage): Promise<void> {
    if (this.messages.length === 0) return;
    const person = of(this.people, step.who);
    const message = of(this.messages, step.which);
    if (step.kind === 'edit') await this.act(person, 'message.edit', { ...message, content: `edited ${this.sent}` });
    else if (step.kind === 'react' || step.kind === 'unreact')
      await this.act(person, step.kind === 'react' ? 'reaction.add' : 'reaction.remove', {
        ...{ ...message, emoji: EMOJI[step.emoji] },
      });
    else if (step.kind === 'read') await this.act(person, 'channel.read', message);
    else if (step.kind !== 'clear') await this.act(person, `message.${step.kind}`, message);
    else if (step.what === 'reactions') await this.act(this.owner, 'reaction.clear', message);
    else {
      const among = this.messages.filter(({ channel_id }) => channel_id === message.channel_id).slice(-3);
      const ids = among.map(({ message_id }) => message_id);
      await this.act(this.owner, 'message.bulk-delete', { channel_id: message.channel_id, messages: ids });
    }
  }

  /** Nobody but the owner is shown a channel that the rights of now, as the owner is told them, keep from them. */
  async nobodySeesMore(): Promise<void> {
    const { api } = this.owner;
    const [guild, channels] = await Promise.all([
      api.ask<Payload>('GET', `/guilds/${this.guildId}`),
      api.ask<Payload[]>('GET', `/guilds/${this.guildId}/channels`),
    ]);
    const everyone = guild.roles.find(({ id }: Payload) => id === this.guildId).permissions;
    const rights = { id: this.guildId, ownerId: guild.owner_id, everyone, roles: guild.roles };
    const check = async ({ api: theirs, account }: Person) => {
      const [member, shown] = await Promise.all([
        api.request<Payload>('GET', `/guilds/${this.guildId}/members/${account.id}`),
        theirs.request<Payload>('GET', `/guilds/${this.guildId}/channels`),
      ]);
      expect(shown.status).toBe(member.status === 200 ? 200 : 404);
      if (shown.status !== 200) return;
      const may = channels.filter(({ permission_overwrites: overwrites }) => {
        const channel = { guildId: this.guildId, overwrites, participants: [] };
        const found = { userId: account.id, roles: member.body.roles };
        return allows(channelPermissions(channel, rights, account.id, found), Permission.viewChannel);
      });
      expect(may.map(({ id }) => id)).toEqual(expect.arrayContaining(shown.body.map(({ id }: Payload) => id)));
    };
    await Promise.all(this.present().map(check));
  }

  /** One more event, after all that follows the others. */
  async close(): Promise<void> {
    const [person] = this.present();
    await this.act(person!, 'user.edit', { global_name: 'The End' });
  }

  /** Every event has reached the client. */
  async reached(client: GatewayClient): Promise<void> {
    await this.present()[0]!.api.ask('GET', '/users/@me/read-states');
    // A heartbeat asks how far the client is. There are too few of them to exceed the limit of a connection.
    const beat = async () => {
      const before = client.acks;
      client.write(1, client.seq);
      await client.until(() => client.acks > before, 'a heartbeat ACK');
      expect(client.seq).toBeGreaterThanOrEqual(this.head);
    };
    if (client.seq < this.head) await vi.waitFor(beat, { interval: 100, timeout: 8_000 });
  }

  end(): void {
    for (const { acting } of this.people) acting.socket.terminate();
  }
}
