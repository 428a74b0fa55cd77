/** How clients see the events of group direct messages. Bots are in none. */

import { rowOfGroup } from '../projections/views/guild-views/view.ts';
import { type EventType, intentsOf } from '../schemas/events/catalogue.ts';
import { type Dispatch, dispatch, onlyDirect, type Rendering, type Viewer, withoutHead } from './dispatch.ts';

type GroupEvent = Extract<EventType, `recipient-${string}` | 'group-edited'>;

const othersDirectly =
  (userId: string) =>
  (viewer: Viewer): boolean =>
    viewer.userId !== userId && viewer.shardId === 0;

/** For whoever comes, the channel begins. */
const added: Rendering<'recipient-added'> = async ({ type, data }, _, { presenter, views }) => {
  const { channelId, userId, group } = data;
  const intents = intentsOf(type, null);
  const [user, head] = await Promise.all([presenter.user(userId), views.unread.head(channelId)]);
  const channel = await presenter.channel(rowOfGroup(channelId, group), userId, head);
  return [
    dispatch('CHANNEL_CREATE', channel, intents, onlyDirect(userId)),
    dispatch('CHANNEL_RECIPIENT_ADD', { channel_id: channelId, user }, intents, othersDirectly(userId)),
  ];
};

/** Whoever goes is told nothing that came later. */
const removed: Rendering<'recipient-removed'> = async ({ type, data }, _, { presenter }) => {
  const { channelId, userId, group } = data;
  const intents = intentsOf(type, null);
  const [user, channel] = await Promise.all([
    presenter.user(userId),
    presenter.channel(rowOfGroup(channelId, group), userId),
  ]);
  return [
    dispatch('CHANNEL_DELETE', channel, intents, onlyDirect(userId)),
    dispatch('CHANNEL_RECIPIENT_REMOVE', { channel_id: channelId, user }, intents, othersDirectly(userId)),
  ];
};

/** Each of the people sees the others as recipients. */
const edited: Rendering<'group-edited'> = async ({ type, data: { channelId, group } }, _, { presenter }) => {
  const shownTo = async (userId: string): Promise<Dispatch> => {
    const channel = await withoutHead(presenter, rowOfGroup(channelId, group), userId);
    return dispatch('CHANNEL_UPDATE', channel, intentsOf(type, null), onlyDirect(userId));
  };
  return Promise.all(group.participants.map(shownTo));
};

export const groupRenderings: { readonly [K in GroupEvent]: Rendering<K> } = {
  'recipient-added': added,
  'recipient-removed': removed,
  'group-edited': edited,
};
