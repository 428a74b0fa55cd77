/** What of a thread can be set, when it is created and later. */

import * as t from 'io-ts';
import type { Patch } from '../../domain/patch.ts';
import type { ChannelRow } from '../../projections/views/guild-views/view.ts';
import { optional } from '../../schemas/codecs.ts';
import type { ThreadDetails } from '../../schemas/events/thread.ts';
import type { CommandDeps } from '../command.ts';

/** Minutes of silence after which a thread is archived. */
export const AutoArchive = t.union([t.literal(60), t.literal(1440), t.literal(4320), t.literal(10_080)]);

/** Three days, as Discord's own clients suggest. */
export const AUTO_ARCHIVE = 4320;

export const threadFields = {
  archived: optional(t.boolean),
  locked: optional(t.boolean),
  invitable: optional(t.boolean),
  auto_archive_duration: optional(AutoArchive),
};

const Fields = t.partial(threadFields);
type Fields = t.TypeOf<typeof Fields>;

/** Null asks for nothing here. */
export const threadPatch = (
  fields: Fields & { readonly name?: string | null | undefined },
): Patch<Omit<ThreadDetails, 'archiveTime'>> => ({
  name: fields.name ?? undefined,
  archived: fields.archived ?? undefined,
  locked: fields.locked ?? undefined,
  invitable: fields.invitable ?? undefined,
  autoArchive: fields.auto_archive_duration ?? undefined,
});

export const asksForThread = (fields: Fields): boolean =>
  Object.keys(threadFields).some((name) => (fields[name as keyof Fields] ?? undefined) !== undefined);

/**
 * Whether the guild of a channel may have no further active thread. Counted in the views, so as many more may become
 * active at once as are created at once.
 */
export const hasAllThreads = async (
  row: Pick<ChannelRow, 'guildId'> | undefined,
  { views, bounds }: Pick<CommandDeps, 'views' | 'bounds'>,
): Promise<boolean> => row?.guildId != null && (await views.guilds.threadsOf(row.guildId)).length >= bounds.threads;

export const unarchivesTooMany = async (
  fields: Fields & { readonly channel_id: string },
  deps: CommandDeps,
): Promise<boolean> => {
  if (fields.archived !== false) return false;
  const row = await deps.views.guilds.channel(fields.channel_id);
  return row?.thread?.details.archived === true && hasAllThreads(row, deps);
};
