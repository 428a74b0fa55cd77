/** Where a guild's channels stand. */
import { isDeepStrictEqual } from 'node:util';
import { either } from 'fp-ts';
import type { EventData } from '../schemas/events/catalogue.ts';
import { type Overwrite, PLAIN } from '../schemas/events/channel.ts';
import { type PlacedChannel, wrongParent } from './categories.ts';
import type { ChannelState } from './channel.ts';
import { type Decision, happen, nothing, refuse } from './decider.ts';
import { type ByMember, type GuildState, rightsIn } from './guild.ts';
import { overwriteChanges } from './overwrites.ts';
import { allows, allowsAll, guildPermissions, Permission } from './permissions.ts';

/** Where a channel is to stand. Absent: as it stands. Without a number it keeps its place. */
export interface AskedPlace {
  readonly id: string;
  readonly position?: number | null | undefined;
  readonly parentId?: string | null | undefined;
  /** It takes the overwrites of its category. */
  readonly locked: boolean;
}

interface SeenChannel extends PlacedChannel {
  readonly overwrites: readonly Overwrite[];
  /** Its place in the list. */
  readonly order?: number;
}

type Place = EventData<'channels-moved'>['channels'][number];

const standsSo = (
  { order, parentId, overwrites }: SeenChannel,
  { position, parentId: asked, overwrites: wanted }: Place,
): boolean =>
  (position === null || position === order) &&
  asked === parentId &&
  (wanted === null || overwriteChanges(overwrites, wanted).length === 0);

/** @param command.known the guild's channels that the caller sees, as they are */
export const moveChannels = (
  command: ByMember & { readonly places: readonly AskedPlace[]; readonly known: readonly SeenChannel[] },
  state: GuildState,
): Decision => {
  const { guildId, actor, key, places, known } = command;
  if (!state.exists) return refuse('unknownGuild');
  const permissions = guildPermissions(rightsIn(guildId, state), actor);
  if (!allows(permissions, Permission.manageChannels)) return refuse('missingPermissions');
  if (state.keys.has(key)) return nothing;
  const parents = new Map(known.filter(({ isDeleted }) => isDeleted !== true).map((one) => [one.id, one.parentId]));
  const channels: Place[] = [];
  let isSame = true;
  for (const { id, position, parentId: asked, locked } of places) {
    const channel = known.find((one) => one.id === id && one.isDeleted !== true);
    if (channel === undefined) return refuse('unknownChannel');
    const parentId = asked === undefined ? channel.parentId : asked;
    if (parentId !== channel.parentId) {
      parents.delete(id);
      const wrong = wrongParent({ kind: channel.kind, parentId }, known, parents.values());
      if (wrong !== undefined) return either.left(wrong);
      parents.set(id, parentId);
    }
    const category = locked ? known.find((one) => one.id === parentId) : undefined;
    if (category !== undefined) {
      const changed = overwriteChanges(channel.overwrites, category.overwrites).reduce(
        (all, { bits }) => all | bits,
        0n,
      );
      if (changed !== 0n && !allows(permissions, Permission.manageRoles)) return refuse('missingPermissions');
      if (!allowsAll(permissions, changed)) return refuse('missingPermissions');
    }
    const overwrites = category === undefined ? null : [...category.overwrites];
    const place = { channelId: id, position: position ?? null, parentId, overwrites };
    isSame &&= standsSo(channel, place);
    channels.push(place);
  }
  return isSame ? nothing : happen({ type: 'channels-moved', data: { guildId, channels } });
};

/** A step of a process. @param command.from it only leaves this category */
export const placeChannel = (
  command: {
    readonly channelId: string;
    readonly guildId: string;
    readonly key: string;
    readonly parentId: string | null;
    /** Null: where it stands. */
    readonly position: number | null;
    /** Null: those that it has. */
    readonly overwrites: readonly Overwrite[] | null;
    readonly from?: string;
  },
  state: ChannelState,
): Decision => {
  const { settings } = state;
  if (settings === undefined || settings.isDeleted || state.keys.has(command.key)) return nothing;
  const { channelId, guildId, parentId, position, overwrites, from } = command;
  const { details: former } = settings;
  if (from !== undefined && former.parentId !== from) return nothing;
  const details = { ...PLAIN, ...former, parentId, position: position ?? former.position };
  const changes =
    overwrites === null
      ? []
      : overwriteChanges(settings.overwrites, overwrites).map(({ event }) => event({ channelId, guildId }));
  const isSame = isDeepStrictEqual(details, former);
  const orphaned = from === undefined ? {} : { orphaned: true as const };
  return happen(
    ...(isSame ? [] : [{ type: 'channel-edited' as const, data: { channelId, guildId, details, ...orphaned } }]),
    ...changes,
  );
};
