/** Categories: which channels they hold. */
import { fieldError, type ParleyError } from '../schemas/errors.ts';
import type { AnyKind } from '../schemas/events/channel.ts';

export const MAX_IN_CATEGORY = 50;

/** A channel as far as its place goes. */
export interface PlacedChannel {
  readonly id: string;
  readonly kind: AnyKind;
  readonly parentId: string | null;
  readonly isDeleted?: boolean;
}

/**
 * Why a channel may not stand in the category that it asks for.
 * @param known the channels of its guild that the caller sees
 * @param parents the category of each other channel
 */
export const wrongParent = (
  { kind, parentId }: Pick<PlacedChannel, 'kind' | 'parentId'>,
  known: readonly PlacedChannel[],
  parents: Iterable<string | null>,
): ParleyError | undefined => {
  if (parentId === null) return undefined;
  const category = known.find(({ id, isDeleted }) => id === parentId && isDeleted !== true);
  if (kind === 'category' || category?.kind !== 'category')
    return fieldError(['parent_id'], 'CHANNEL_PARENT_INVALID_TYPE', 'Not a category');
  const held = [...parents].filter((parent) => parent === parentId).length;
  return held < MAX_IN_CATEGORY
    ? undefined
    : fieldError(
        ['parent_id'],
        'CHANNEL_PARENT_MAX_CHANNELS',
        `Maximum number of channels in category reached (${MAX_IN_CATEGORY})`,
      );
};
