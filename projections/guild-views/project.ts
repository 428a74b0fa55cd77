/** From events to changes of the guild views. */
import type { EventType, ParleyEvent } from '../../schemas/events/index.ts';
import type { GuildChange } from './port.ts';

/** Types of the events that change the guild views. */
export const STRUCTURE = [
  'guild-created',
  'channel-created',
  'member-joined',
  'member-left',
  'user-registered',
  'invite-created',
  'invite-redeemed',
] as const satisfies readonly EventType[];

const changesOf = (event: ParleyEvent): readonly GuildChange[] => {
  switch (event.type) {
    case 'guild-created': {
      const { guildId: id, name, ownerId, everyone } = event.data;
      return [{ kind: 'guild-added', guild: { id, name, ownerId, everyone }, position: event.position }];
    }
    case 'channel-created': {
      const { channelId: id, kind, guildId, name, topic, overwrites, participants } = event.data;
      const createdAt = event.position;
      return [
        { kind: 'channel-added', channel: { id, kind, guildId, name, topic, overwrites, participants, createdAt } },
      ];
    }
    case 'member-joined': {
      const { guildId, userId, invite } = event.data;
      const member = { guildId, userId, joinedTime: event.time, joinedAt: event.position };
      const joined: GuildChange = { kind: 'member-joined', member };
      return invite === null
        ? [joined]
        : [joined, { kind: 'invite-used', code: invite, capped: false, position: event.position }];
    }
    case 'member-left': {
      const { guildId, userId } = event.data;
      return [{ kind: 'member-left', guildId, userId, position: event.position }];
    }
    case 'user-registered': {
      const { userId: id, kind, ownerId, sealed } = event.data;
      return [
        { kind: 'user-added', user: { id, kind, ownerId, sealed, sealedIn: event.id }, position: event.position },
      ];
    }
    case 'invite-created': {
      const { code, guildId, channelId, inviterId, maxUses, expiresAt } = event.data;
      const invite = { code, guildId, channelId, inviterId, maxUses, expiresAt, createdTime: event.time };
      return [{ kind: 'invite-added', invite, position: event.position }];
    }
    case 'invite-redeemed':
      return [{ kind: 'invite-used', code: event.data.code, capped: true, position: event.position }];
    default:
      return [];
  }
};

export const guildChanges = (events: readonly ParleyEvent[]): readonly GuildChange[] => {
  const changes: GuildChange[] = [];
  for (const event of events) for (const change of changesOf(event)) changes.push(change);
  return changes;
};
