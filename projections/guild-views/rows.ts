/** Between columns and rows, the same in every SQL store. */
import type { Overwrite } from '../../schemas/events/index.ts';
import type { ChannelRow, GuildRow, MemberRow, UserRow } from './port.ts';
import type { ChannelColumns, GuildColumns, MemberColumns, UserColumns } from './queries.ts';

export const guildOf = (columns: GuildColumns): GuildRow => ({
  ...columns,
  name: JSON.parse(columns.name) as string,
});

export const channelOf = (columns: ChannelColumns, order: number): ChannelRow => ({
  id: columns.id,
  kind: columns.kind,
  guildId: columns.guildId,
  name: JSON.parse(columns.name) as string | null,
  topic: JSON.parse(columns.topic) as string | null,
  overwrites: JSON.parse(columns.overwrites) as Overwrite[],
  participants: JSON.parse(columns.participants) as string[],
  order,
  createdAt: columns.createdAt,
});

export const memberOf = (guildId: string, { userId, joinedTime, joinedAt }: MemberColumns): MemberRow => ({
  guildId,
  userId,
  joinedTime,
  joinedAt,
});

export const userOf = ({ id, kind, ownerId, by, box, sealedIn }: UserColumns): UserRow => ({
  id,
  kind,
  ownerId,
  sealed: { by, box },
  sealedIn,
});
