/** Fills a log and a vault directly through their ports: a million events through sockets would take minutes. */

import { randomUUID } from 'node:crypto';
import { either } from 'fp-ts';
import { SNOWFLAKE_EPOCH, snowflakeAt } from '../../domain/snowflake.ts';
import type { EventLog } from '../../log/port.ts';
import { systemClock } from '../../schemas/clock.ts';
import { type NewParleyEvent, versionOf } from '../../schemas/events/catalogue.ts';
import { MessageType } from '../../schemas/events/channel.ts';
import { channelStream, memberStream, userStream } from '../../schemas/streams.ts';
import { sealText } from '../../vault/sealing.ts';
import { createTokens } from '../../vault/tokens.ts';
import type { OpenStores } from './stores.ts';

const BATCH = 5_000;
/** Two messages a second, so that the keys of only a few are recent enough to be remembered. */
const PER_SECOND = 2;

type Stores = Pick<OpenStores, 'log' | 'vault'>;

type Unsealed = Pick<NewParleyEvent, 'type' | 'stream' | 'sequence' | 'time' | 'actor' | 'key'> & {
  data: object;
  id?: string;
};

const envelope = (event: Unsealed): NewParleyEvent =>
  ({
    id: randomUUID(),
    schema: versionOf(event.type),
    correlationId: 'seed',
    causationId: null,
    traceparent: null,
    ...event,
  }) as NewParleyEvent;

const append = async (log: EventLog, stream: string, expected: number, events: readonly NewParleyEvent[]) => {
  const appended = await log.append({ stream, expected, events });
  if (either.isLeft(appended)) throw new Error(`the log refused seeds: ${JSON.stringify(appended.left)}`);
};

/**
 * Makes people who are members of these guilds.
 * @param others people made earlier, so that nobody is made twice
 * @returns a token for each person
 */
export const seedPeople = async (
  { log, vault }: Stores,
  guildIds: readonly string[],
  count: number,
  others = 0,
): Promise<string[]> => {
  const tokens = createTokens(vault, { clock: systemClock, lifetime: 604_800 });
  const time = Date.now();
  const ids = Array.from({ length: count }, (_, i) => snowflakeAt(time, BigInt(others + i + 1_000)));
  const make = async (userId: string): Promise<string> => {
    const [stream, id] = [userStream(userId), randomUUID()];
    const username = `person_${userId}`;
    await vault.reserveUsername(username, userId);
    const key = await vault.createKey(userId);
    const sealed = sealText(key, { stream, eventId: id, by: userId }, JSON.stringify({ username, globalName: null }));
    const common = { sequence: 1, time, actor: userId, key: null };
    const registered = { userId, kind: 'person', ownerId: null, sealed };
    await append(log, stream, 0, [envelope({ ...common, id, type: 'user-registered', stream, data: registered })]);
    await vault.confirmUsername(username, userId);
    for (const guildId of guildIds) {
      const membership = memberStream(guildId, userId);
      const joined = { guildId, userId, invite: null, announcedIn: null };
      await append(log, membership, 0, [
        envelope({ ...common, type: 'member-joined', stream: membership, data: joined }),
      ]);
    }
    return (await tokens.issue(userId, 0)).token;
  };
  const made: string[] = [];
  for (let i = 0; i < count; i += 500) made.push(...(await Promise.all(ids.slice(i, i + 500).map(make))));
  return made;
};

/** Id of the n-th of `count` seeded messages, from 1. */
export const seededMessageId = (ordinal: number, count: number, until: number): string =>
  snowflakeAt(timeOf(ordinal, count, until), 0n);

const timeOf = (ordinal: number, count: number, until: number): number =>
  Math.max(SNOWFLAKE_EPOCH, until - Math.ceil(((count - ordinal + 1) * 1_000) / PER_SECOND));

/**
 * Makes a channel like another one, but long ago: its messages come after it in time, as they do anywhere else.
 * @returns its id
 */
export const seedChannel = async ({ log }: Pick<Stores, 'log'>, like: string, time: number): Promise<string> => {
  const [created] = await log.readStream({ stream: channelStream(like), from: 1, limit: 1 });
  if (created?.type !== 'channel-created') throw new Error(`${like} is no channel`);
  const { type, data, actor } = created;
  const channelId = snowflakeAt(time, BigInt(like) & 0xfffn);
  const stream = channelStream(channelId);
  await append(log, stream, 0, [
    envelope({ type, stream, sequence: 1, time, actor, key: null, data: { ...data, channelId } }),
  ]);
  return channelId;
};

/** When the first of `count` messages was written. */
export const seededSince = (count: number, until: number): number => timeOf(1, count, until);

/**
 * Appends `count` messages of one person to a channel without messages.
 * @param until time of the last message, in milliseconds since 1970
 */
export const seedMessages = async (
  { log, vault }: Stores,
  channelId: string,
  author: string,
  count: number,
  until: number,
): Promise<void> => {
  const stream = channelStream(channelId);
  const key = (await vault.key(author))!;
  const { sequence: head } = await log.streamHead(stream);
  for (let done = 0; done < count; done += BATCH) {
    const size = Math.min(BATCH, count - done);
    const events = Array.from({ length: size }, (_, i) => {
      const [id, ordinal] = [randomUUID(), done + i + 1];
      const body = JSON.stringify({ content: `message ${ordinal} of a channel that has said a lot`, embeds: [] });
      return envelope({
        id,
        type: 'message-posted',
        stream,
        sequence: head + ordinal,
        time: timeOf(ordinal, count, until),
        actor: author,
        key: `${author}:message.send:seed-${ordinal}`,
        data: {
          messageId: seededMessageId(ordinal, count, until),
          ordinal,
          author,
          messageType: MessageType.default,
          replyTo: null,
          mentions: { users: [], everyone: false },
          flags: 0,
          nonce: null,
          sealed: sealText(key, { stream, eventId: id, by: author }, body),
        },
      });
    });
    await append(log, stream, head + done, events);
  }
};
