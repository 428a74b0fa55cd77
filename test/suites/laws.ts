/** Laws of delivery, over random commands through the real path: socket, command, log, projections, delivery. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Account, type Api, someName } from '../support/api.ts';
import { ALL_INTENTS, GatewayClient } from '../support/gateway-client.ts';
import type { Instance, StartInstance } from '../support/instance.ts';
import { worldAfter } from '../support/known-world.ts';

/** Includes members, because the law covers everything a snapshot holds. */
const INTENTS = ALL_INTENTS | (1 << 1);
const EMOJI = ['🔥', '👍', '❤️'];

type OnMessage =
  | { readonly kind: 'edit' | 'delete' | 'pin' | 'unpin' | 'read'; readonly who: number; readonly which: number }
  | { readonly kind: 'react' | 'unreact'; readonly who: number; readonly which: number; readonly emoji: number };

type OnRights =
  | {
      readonly kind: 'role';
      readonly which: number;
      readonly does: 'create' | 'edit' | 'delete';
      readonly sees: boolean;
    }
  | { readonly kind: 'give' | 'take'; readonly who: number; readonly which: number }
  | { readonly kind: 'overwrite'; readonly where: number; readonly whom: number; readonly sees: boolean | null };

interface OnMember {
  readonly kind: 'member';
  readonly who: number;
  readonly does: 'kick' | 'ban' | 'unban' | 'time out' | 'release' | 'rename' | 'unname';
}

const isOnRights = (step: Step): step is OnRights => ['role', 'give', 'take', 'overwrite'].includes(step.kind);

type Step =
  | OnMessage
  | { readonly kind: 'send'; readonly who: number; readonly where: number; readonly mention: boolean }
  | { readonly kind: 'channel'; readonly secret: boolean }
  | { readonly kind: 'join'; readonly who: number }
  | { readonly kind: 'leave'; readonly who: number }
  | OnRights
  | OnMember
  | { readonly kind: 'direct'; readonly who: number; readonly other: number };

const index = fc.nat({ max: 100 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('send' as const), who: index, where: index, mention: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('edit' as const, 'delete' as const, 'pin' as const, 'unpin' as const),
      who: index,
      which: index,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('react' as const, 'unreact' as const),
      who: index,
      which: index,
      emoji: fc.nat({ max: EMOJI.length - 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('channel' as const), secret: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('join' as const, 'leave' as const), who: index }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('role' as const),
      which: index,
      does: fc.constantFrom('create' as const, 'edit' as const, 'delete' as const),
      sees: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('give' as const, 'take' as const), who: index, which: index }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('overwrite' as const),
      where: index,
      whom: index,
      sees: fc.option(fc.boolean()),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('member' as const),
      who: index,
      does: fc.constantFrom<OnMember['does'][]>(
        ...(['kick', 'ban', 'unban', 'unban', 'time out', 'release', 'rename', 'unname'] as const),
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('direct' as const), who: index, other: index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('read' as const), who: index, which: index }) },
);

interface Person {
  readonly account: Account;
  readonly api: Api;
  readonly acting: GatewayClient;
}

/** Three people. The first owns a guild, which the others join and leave. */
const cast = async (instance: Instance) => {
  const people: Person[] = [];
  for (const name of ['owner', 'ann', 'ben']) {
    const account = await instance.api.register(someName(name));
    people.push({
      account,
      api: instance.api.as(account),
      acting: await GatewayClient.identified(instance.url, account.token, 0),
    });
  }
  const owner = people[0]!;
  const guild = await owner.api.createGuild('Laws');
  const code = await owner.api.invite(guild.channel.id);
  return { people, owner, guild, code };
};

const of = <T>(list: readonly T[], which: number): T => list[which % list.length]!;

class Story {
  readonly cast: Awaited<ReturnType<typeof cast>>;
  private readonly channels: string[];
  private readonly messages: { readonly channel_id: string; readonly message_id: string }[] = [];
  private readonly roles: string[] = [];
  /** Position of the last event. */
  head = 0;
  private sent = 0;

  constructor(from: Awaited<ReturnType<typeof cast>>) {
    this.cast = from;
    this.channels = [from.guild.channel.id];
  }

  /** A refusal is an answer too, since some people may not do some things. */
  private async act(person: Person, type: string, fields: object) {
    const answer = await person.acting.command({ type, ...fields });
    if (answer.ok) this.head = Math.max(this.head, answer.position!);
    return answer;
  }

  async go(step: Step): Promise<void> {
    const { people, owner, guild, code } = this.cast;
    if (step.kind === 'channel') {
      const secret = { id: guild.id, type: 0, allow: '0', deny: String(1 << 10) };
      const permission_overwrites = step.secret ? [secret] : [];
      const made = await this.act(owner, 'channel.create', { guild_id: guild.id, name: 'more', permission_overwrites });
      if (made.ok) this.channels.push(made.result.id);
      return;
    }
    if (isOnRights(step)) return this.onRights(step);
    if (step.kind === 'member') return this.onMember(step);
    const person = of(people, step.who);
    if (step.kind === 'join') await this.act(person, 'guild.join', { code });
    else if (step.kind === 'leave') await this.act(person, 'guild.leave', { guild_id: guild.id });
    else if (step.kind === 'direct') {
      const made = await this.act(person, 'dm.create', { recipient_id: of(people, step.other).account.id });
      if (made.ok) this.channels.push(made.result.id);
    } else if (step.kind === 'send') {
      this.sent += 1;
      const content = `message ${this.sent}${step.mention ? ` <@${of(people, step.where).account.id}>` : ''}`;
      const said = await this.act(person, 'message.send', { channel_id: of(this.channels, step.where), content });
      if (said.ok) this.messages.push({ channel_id: said.result.channel_id, message_id: said.result.id });
    } else await this.onMessage(person, step);
  }

  /** The owner's doing. Roles begin with @everyone. */
  private async onRights(step: OnRights): Promise<void> {
    const { people, owner, guild } = this.cast;
    const [VIEW, NOTHING] = [String(1 << 10), '0'];
    const on = { guild_id: guild.id };
    if (step.kind === 'role') {
      const role_id = of([guild.id, ...this.roles], step.which);
      const permissions = step.sees ? VIEW : NOTHING;
      if (step.does === 'create') {
        const made = await this.act(owner, 'role.create', { ...on, permissions });
        if (made.ok) this.roles.push(made.result.id);
      } else if (step.does === 'edit') await this.act(owner, 'role.edit', { ...on, role_id, permissions });
      else {
        const gone = await this.act(owner, 'role.delete', { ...on, role_id });
        if (gone.ok) this.roles.splice(this.roles.indexOf(role_id), 1);
      }
    } else if (step.kind === 'overwrite') {
      const whom = [
        { overwrite_id: of([guild.id, ...this.roles], step.whom), kind: 0 },
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
    const { people, owner, guild } = this.cast;
    const on = { guild_id: guild.id, user_id: of(people, who).account.id };
    const changes = {
      'time out': { communication_disabled_until: new Date(Date.now() + 86_400_000).toISOString() },
      release: { communication_disabled_until: null },
      rename: { nick: `called ${this.sent}` },
      unname: { nick: null },
    };
    if (does === 'kick' || does === 'ban' || does === 'unban') await this.act(owner, `member.${does}`, on);
    else await this.act(owner, 'member.edit', { ...on, ...changes[does] });
  }

  private async onMessage(person: Person, step: OnMessage): Promise<void> {
    if (this.messages.length === 0) return;
    const message = of(this.messages, step.which);
    switch (step.kind) {
      case 'edit':
        await this.act(person, 'message.edit', { ...message, content: `edited ${this.sent}` });
        return;
      case 'delete':
        await this.act(person, 'message.delete', message);
        return;
      case 'pin':
      case 'unpin':
        await this.act(person, `message.${step.kind}`, message);
        return;
      case 'read':
        await this.act(person, 'channel.read', message);
        return;
      case 'react':
        await this.act(person, 'reaction.add', { ...message, emoji: EMOJI[step.emoji] });
        return;
      case 'unreact':
        await this.act(person, 'reaction.remove', { ...message, emoji: EMOJI[step.emoji] });
    }
  }

  /** Every event has reached the client. */
  async reached(client: GatewayClient): Promise<void> {
    await this.cast.owner.api.ask('GET', '/users/@me/read-states');
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
    for (const { acting } of this.cast.people) acting.socket.terminate();
  }
}

const steps = fc.array(step, { minLength: 10, maxLength: 40 });
const RUNS = 12;

/** @param runs random stories for each law */
export const lawsSuite = (start: StartInstance, runs = RUNS) =>
  describe('over random commands', () => {
    let instance: Instance;
    beforeAll(async () => {
      instance = await start();
    });
    afterAll(() => instance?.close());

    it('a snapshot at any position plus the dispatches after it equals a fresh snapshot', async () => {
      await fc.assert(
        fc.asyncProperty(steps, fc.nat({ max: 40 }), async (script, when) => {
          const story = new Story(await cast(instance));
          const watching: GatewayClient[] = [];
          for (const [at, one] of script.entries()) {
            if (at === when % script.length) {
              for (const { account } of story.cast.people)
                watching.push(await GatewayClient.identified(instance.url, account.token, INTENTS));
            }
            await story.go(one);
          }
          for (const [at, client] of watching.entries()) {
            await story.reached(client);
            const fresh = await GatewayClient.identified(instance.url, story.cast.people[at]!.account.token, INTENTS);
            expect(worldAfter(client.frames).structure()).toEqual(worldAfter(fresh.frames).structure());
            fresh.socket.terminate();
            client.socket.terminate();
          }
          story.end();
        }),
        { numRuns: runs, endOnFailure: true },
      );
    }, 120_000);

    it('the state after a resume from any position, even after a crash, equals that of live delivery', async () => {
      const resumes: (() => Promise<void>)[] = [];
      await fc.assert(
        fc.asyncProperty(steps, fc.array(fc.nat(), { minLength: 2, maxLength: 4 }), async (script, cuts) => {
          const story = new Story(await cast(instance));
          const { people } = story.cast;
          const live = await Promise.all(
            people.map(({ account }) => GatewayClient.identified(instance.url, account.token, INTENTS)),
          );
          for (const one of script) await story.go(one);
          for (const [at, client] of live.entries()) {
            await story.reached(client);
            const everything = worldAfter(client.frames);
            const positions = [...new Set(client.frames.map((frame) => frame.s ?? 0))].filter((s) => s > 0);
            for (const cut of cuts) {
              const seq = of(positions, cut);
              // The last packet with this `s`: everything before it had reached the client when the connection broke.
              const last = client.frames.findLastIndex((frame) => frame.s === seq);
              const before = client.frames.slice(0, last + 1);
              const session = { session_id: client.sessionId!, seq };
              const resume = async () => {
                const resumed = await GatewayClient.resumed(instance.url, people[at]!.account.token, session);
                const world = worldAfter([...before, ...resumed.frames]);
                expect(world.all()).toEqual(everything.all());
                expect(world.arrived(everything)).toEqual(everything.arrived(world));
                resumed.socket.terminate();
              };
              await resume();
              resumes.push(resume);
            }
            client.socket.terminate();
          }
          story.end();
        }),
        { numRuns: runs, endOnFailure: true },
      );
      // This resume reads the log, because the recent events in the first server's memory are gone.
      await instance.restart();
      for (const resume of resumes) await resume();
    }, 120_000);
  });
