/** READY and the GUILD_CREATEs of a session that begins: what it sees at one position. */

import { notificationsInReady } from '../presenter/notifications.ts';
import type { NotificationsRow, RelationshipRow } from '../projections/views/guild-views/view.ts';
import type { Clock } from '../schemas/clock.ts';
import { dispatchPayload } from './encoding.ts';
import { type GuildSnapshot, guildCreatePayload, readGuildSnapshots, type Scope } from './scope.ts';
import { Phase, type Session } from './session.ts';
import { type Beginning, PacedWriter, type Parts } from './session-start.ts';

/** How long to wait for a pong. Every WebSocket answers a ping at once, so a slower one is not waited for. */
const PONG_TIMEOUT_MS = 1_000;

interface Snapshot {
  readonly position: number;
  readonly scope: Scope;
  /** Of the direct channels. */
  readonly lastPinned: ReadonlyMap<string, number>;
  readonly guilds: readonly GuildSnapshot[];
  /** None for bots. */
  readonly relationships: readonly RelationshipRow[];
  /** None for bots. */
  readonly notifications: readonly NotificationsRow[];
}

export const readSnapshot = async (session: Session, { position, scope, deps }: Beginning): Promise<Snapshot> => {
  const directChannels = scope.directChannels.map((channel) => channel.id);
  const [guilds, lastPinned, relationships, notifications] = await Promise.all([
    readGuildSnapshots(deps, session, scope.guilds),
    deps.views.pins.lastPinned(directChannels),
    session.isBot ? [] : deps.views.guilds.relationships(session.userId),
    session.isBot ? [] : deps.views.guilds.notifications(session.userId),
  ]);
  return { position, scope, lastPinned, guilds, relationships, notifications };
};

/** Sends READY, every GUILD_CREATE, and the position that they belong to. */
export const sendSnapshot = async (parts: Parts, session: Session, snapshot: Snapshot): Promise<void> => {
  const writer = new PacedWriter(parts, session);
  await writer.add(dispatchPayload('READY', 0, JSON.stringify(await ready(parts, session, snapshot))));
  if (session.isBot && snapshot.guilds.length > 0) {
    writer.end();
    await readByClient(session, parts.deps.clock);
  }
  for (const guild of snapshot.guilds) {
    await writer.add(await guildCreatePayload(parts.deps, session, guild, 0));
    if (session.phase === Phase.closed) return;
  }
  // Without this, a session that receives nothing for a while would have no `s` to resume from.
  await writer.add(dispatchPayload('PARLEY_POSITION', snapshot.position, '{}'));
  writer.end();
};

/**
 * Waits until the client has read what was written, as its pong shows. discord.js handles everything it reads in one
 * piece concurrently, and takes longer over READY than over what follows. A GUILD_CREATE read together with READY would
 * overtake it, and the bot would learn that it is ready before it knows who it is.
 */
const readByClient = ({ link }: Session, clock: Clock): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      cancel();
      resolve();
    };
    const cancel = clock.setTimer(PONG_TIMEOUT_MS, () => {
      giveUp();
      resolve();
    });
    const giveUp = link.onceRead(done);
  });

const ready = async (
  parts: Parts,
  session: Session,
  { scope, lastPinned, relationships, notifications }: Snapshot,
): Promise<object> => {
  const { deps } = parts;
  const { userId, generation, intents } = session;
  const shard = [session.shardId, session.shardCount] as const;
  const directChannels = session.isBot ? [] : scope.directChannels;
  const id = parts.holders.begin(session);
  const heads = await deps.views.unread.heads(directChannels.map((channel) => channel.id));
  return {
    v: 10,
    user: await deps.presenter.self(userId),
    guilds: scope.guilds.map(({ guild }) => ({ id: guild.id, unavailable: true })),
    private_channels: await Promise.all(
      directChannels.map((channel) =>
        deps.presenter.channel(channel, userId, heads.get(channel.id), lastPinned.get(channel.id)),
      ),
    ),
    ...(session.isBot
      ? {}
      : {
          relationships: await deps.presenter.relationships(relationships),
          user_guild_settings: notificationsInReady(notifications, new Set(scope.guilds.map(({ guild }) => guild.id))),
        }),
    session_id: await deps.tokens.signSession({ id, userId, generation, epoch: deps.log.epoch, shard, intents }),
    resume_gateway_url: deps.config.resumeGatewayUrl(session.address),
    session_type: 'normal',
    shard,
    application: { id: userId, flags: 0 },
    epoch: deps.log.epoch,
  };
};
