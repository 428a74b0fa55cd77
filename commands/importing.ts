/** Imports messages from elsewhere through the same mailboxes, decisions and log, with their original times. */

import { createHash, randomUUID } from 'node:crypto';
import { either } from 'fp-ts';
import { type ChannelState, createChannel, post } from '../domain/channel.ts';
import { createGuild, type GuildState } from '../domain/guild.ts';
import { join, type MemberState } from '../domain/member.ts';
import { DEFAULT_EVERYONE } from '../domain/permissions.ts';
import type { GuildRow } from '../projections/views/guild-views/view.ts';
import { PLAIN } from '../schemas/events/channel.ts';
import { channelIdOf, channelStream, guildStream, memberStream } from '../schemas/streams.ts';
import { asName } from '../schemas/text.ts';
import type { CommandDeps } from './command.ts';
import type { Identity } from './identity.ts';
import type { Done, Outcome } from './mailbox.ts';
import type { Cause } from './new-events.ts';

export interface ImportedMessage {
  readonly author: string;
  readonly content: string;
  /** Original time, in milliseconds since 1970. */
  readonly time: number;
  /** Identifies the line and its source, so that a second import adds nothing. */
  readonly key: string;
  readonly replyTo?: PostedMessage | undefined;
}

/** A message that another one may reply to. */
export interface PostedMessage {
  readonly author: string;
  /** `undefined` until it is decided. */
  messageId: string | undefined;
}

/** An imported channel has one of these numbers as low bits of all its ids. Those below are in ids that a server on a data folder makes. */
const FIRST_NUMBER = 4096;
const NUMBERS = 2 ** 22;

const numberOf = (channelId: string): number =>
  FIRST_NUMBER + (createHash('sha256').update(channelId).digest().readUInt32BE() % (NUMBERS - FIRST_NUMBER));

/** The import cannot go on. What is stored so far stays, and the next run finds it. */
export class ImportRefused extends Error {}

/** Every guild begins with it. */
export const FIRST_CHANNEL = 'general';

export const IMPORT_WAIT_MS = 30_000;

const PAGE = 1000;
const CHANNELS = channelStream('');

const replyOf = (to: PostedMessage | undefined) =>
  to?.messageId === undefined
    ? undefined
    : { message: { messageId: to.messageId, author: to.author, deleted: false }, mention: false };

/** For names that belong to people who can sign in. */
const SUFFIXES = ['', '_irc', '_irc2', '_irc3', '_irc4'];

const stored = (outcome: Outcome): Done => {
  if (either.isLeft(outcome)) throw new ImportRefused(outcome.left.message);
  return outcome.right;
};

export class Importing {
  private readonly deps: CommandDeps;
  private readonly identity: Identity;
  private readonly correlationId = randomUUID();

  constructor(deps: CommandDeps, identity: Identity) {
    this.deps = deps;
    this.identity = identity;
  }

  private cause(actor: string, key: string): Cause {
    return { actor, key, correlationId: this.correlationId, causationId: null, traceparent: null };
  }

  private async visible(done: Done): Promise<void> {
    if (!(await this.deps.views.whenProcessed(done.position, IMPORT_WAIT_MS)))
      throw new ImportRefused('the views do not follow');
  }

  /**
   * The account of a name from elsewhere, created if there is none. Nobody can sign in to it.
   * @param folded the form in which all spellings of the name are one
   */
  async account(name: string, folded: string, time: number): Promise<{ userId: string; isNew: boolean }> {
    for (const suffix of SUFFIXES) {
      const reservedAs = folded + suffix;
      const holder = await this.deps.vault.usernameHolder(reservedAs);
      const user = holder && (await this.deps.views.guilds.user(holder.userId));
      if (user?.kind === 'imported') return { userId: user.id, isNew: false };
      // The name belongs to a user who can sign in.
      if (user !== undefined) continue;
      const userId = this.deps.ids(this.deps.now());
      const username = asName(name) + suffix;
      const { correlationId } = this;
      const created = await this.identity.create(
        { userId, username, reservedAs, globalName: null, kind: 'imported', correlationId, time },
        async () => either.right(undefined),
      );
      if (either.isRight(created)) return { userId, isNew: true };
    }
    throw new ImportRefused(`no account could be made for ${name}`);
  }

  /** @param time when it is said to have begun, in milliseconds since 1970 */
  async guild(name: string, ownerId: string, time: number): Promise<GuildRow> {
    const guildId = this.deps.ids(this.deps.now());
    const stream = guildStream(guildId);
    const firstChannel = { id: this.deps.ids(this.deps.now()), name: FIRST_CHANNEL };
    const everyone = DEFAULT_EVERYONE.toString();
    const cause = this.cause(ownerId, `import:guild:${name}`);
    const done = stored(
      await this.deps.mailboxes.run({
        stream,
        cause,
        prepare: async () => either.right(undefined),
        decide: (state: GuildState) =>
          createGuild(
            { guild: { guildId, name, ownerId, everyone, firstChannel, systemChannelId: firstChannel.id }, time },
            state,
          ),
      }),
    );
    const last = await this.deps.processes.whenFollowedUp(
      { position: done.position, stream, key: cause.key },
      IMPORT_WAIT_MS,
    );
    await this.visible({ ...done, position: last ?? done.position });
    const row = await this.deps.views.guilds.guild(guildId);
    if (row === undefined) throw new ImportRefused(`the guild ${name} does not appear`);
    return row;
  }

  /**
   * Creates the channel, marked by its key as the target of an import.
   * @param time of the first line, in milliseconds since 1970: who asks how things were then finds the channel
   */
  async channel(guild: GuildRow, name: string, time: number): Promise<string> {
    const channelId = await this.channelIdOfItsOwnNumber();
    const key = importedChannelKey(name);
    const channel = {
      channelId,
      kind: 'text' as const,
      guildId: guild.id,
      name,
      topic: null,
      ...PLAIN,
      overwrites: [],
      participants: [],
    };
    const done = stored(
      await this.deps.mailboxes.run({
        stream: channelStream(channelId),
        cause: this.cause(guild.ownerId, key),
        prepare: async () => either.right(undefined),
        decide: (state: ChannelState) => createChannel({ channel, key, time }, state),
      }),
    );
    await this.visible(done);
    return channelId;
  }

  /**
   * Ids of messages before 2015 all count from the first millisecond of ids, in every channel. Their low bits, which are the
   * channel's number, keep them apart.
   */
  private async channelIdOfItsOwnNumber(): Promise<string> {
    const taken = new Set<number>();
    let after: string | undefined;
    do {
      const streams = await this.deps.log.streams({ prefix: CHANNELS, limit: PAGE, ...(after && { after }) });
      for (const { stream } of streams) taken.add(numberOf(channelIdOf(stream)!));
      after = streams.length < PAGE ? undefined : streams.at(-1)!.stream;
    } while (after !== undefined);
    for (;;) {
      const id = this.deps.ids(this.deps.now());
      if (!taken.has(numberOf(id))) return id;
    }
  }

  async member(guildId: string, userId: string, time: number): Promise<void> {
    const key = `import:${guildId}`;
    const done = stored(
      await this.deps.mailboxes.run({
        stream: memberStream(guildId, userId),
        cause: this.cause(userId, key),
        prepare: async () => either.right(undefined),
        decide: (state: MemberState) => join({ guildId, userId, invite: null, announcedIn: null, key, time }, state),
      }),
    );
    await this.visible(done);
  }

  /**
   * Posts in the given order. The author must be a member.
   * @param posted is told the id
   * @returns whether it was stored, and not before
   */
  async message(guild: GuildRow, channelId: string, message: ImportedMessage, posted: PostedMessage): Promise<boolean> {
    const { author, content, time, key, replyTo } = message;
    const low = BigInt(numberOf(channelId));
    const done = stored(
      await this.deps.mailboxes.run({
        stream: channelStream(channelId),
        cause: this.cause(author, key),
        // One lane for all authors, so that the order of the conversation is kept.
        lane: 'import',
        prepare: async () => {
          const member = await this.deps.views.guilds.member(guild.id, author);
          return either.right({ userId: author, guild, member });
        },
        decide: (state: ChannelState, actor) => {
          const decision = post(
            {
              ...actor,
              key,
              now: this.deps.now(),
              low,
              time,
              body: { content, embeds: [] },
              allowed: { everyone: false, users: false, roles: false },
              knownUsers: new Set(),
              // Decided before this one, since they share a lane.
              reply: replyOf(replyTo),
              flags: 0,
              nonce: null,
            },
            state,
          );
          const [event] = either.isRight(decision) ? decision.right : [];
          if (event?.type === 'message-posted') posted.messageId = event.data.messageId;
          return decision;
        },
      }),
    );
    return done.events.length > 0 && done.known.length === 0;
  }
}

export const importedChannelKey = (name: string): string => `import:channel:${name}`;
