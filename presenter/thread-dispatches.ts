/** How clients see the events of threads. */

import { allows, Permission } from '../domain/permissions.ts';
import { insidersOf, withParent } from '../projections/views/guild-views/access.ts';
import { rowOfThread } from '../projections/views/guild-views/view.ts';
import { type EventType, intentsOf } from '../schemas/events/catalogue.ts';
import { Intent } from '../schemas/gateway/frames.ts';
import { type Dispatch, type DispatchDeps, dispatch, only, type Rendering, rightsOf, type Viewer } from './dispatch.ts';
import {
  isThread,
  messageCounts,
  presentEndedThread,
  presentThread,
  presentThreadItself,
  presentThreadMember,
  type Thread,
} from './threads.ts';

type ThreadEvent = Extract<EventType, `thread-${string}`>;

/** Who may view a thread: nobody where the guild is deleted since, which its people are told next. */
const viewersOf = async ({ views }: DispatchDeps, thread: Thread): Promise<(viewer: Viewer) => boolean> => {
  const [guild, row, insiders] = await Promise.all([
    views.guilds.guild(thread.guildId!),
    withParent(views.guilds, { ...thread, isDeleted: false }),
    insidersOf(views.guilds, thread),
  ]);
  if (guild === undefined) return () => false;
  return (viewer) => allows(rightsOf(viewer, row, guild, { insiders }), Permission.viewChannel);
};

const threadOf = async ({ views }: DispatchDeps, channelId: string): Promise<Thread | undefined> => {
  const row = await views.guilds.channel(channelId);
  return row !== undefined && isThread(row) ? row : undefined;
};

/** Its creator is shown to be in it. */
const created: Rendering<'thread-created'> = async (event, _, deps) => {
  const { guildId, creator, firstMessageId } = event.data;
  const row = rowOfThread(event.data, event) as Thread;
  const sees = await viewersOf(deps, row);
  const head = firstMessageId === null ? undefined : { ordinal: 1, messageId: firstMessageId };
  const data = { ...presentThread(row, { head }), newly_created: true };
  const member = presentThreadMember(row.id, creator.userId, creator);
  const intents = intentsOf(event.type, guildId);
  const isCreator = only(creator.userId);
  return [
    dispatch('THREAD_CREATE', data, intents, (viewer) => !isCreator(viewer) && sees(viewer)),
    dispatch('THREAD_CREATE', { ...data, member }, intents, isCreator),
  ];
};

/** Of what is said in it and who is in it the views may tell of later: clients keep what they have. */
const edited: Rendering<'thread-edited'> = async (event, _, deps) => {
  const { channelId, guildId, details, wasArchived, posted } = event.data;
  const known = await threadOf(deps, channelId);
  if (known === undefined) return [];
  const row: Thread = { ...known, name: details.name, thread: { ...known.thread, details } };
  const sees = await viewersOf(deps, row);
  const intents = intentsOf(event.type, guildId);
  const update = dispatch('THREAD_UPDATE', presentThreadItself(row), intents, sees);
  if (!wasArchived || details.archived) return [update];
  // Clients do not know a thread that was archived when they began.
  const head = await deps.views.unread.head(channelId);
  const whole = { ...presentThread(row, { head }), ...messageCounts(row, posted) };
  return [update, dispatch('THREAD_CREATE', whole, intents, sees)];
};

const membersChanged: Rendering<'thread-members-changed'> = async (event, _, deps) => {
  const { channelId, guildId, isPrivate, added, removed, count } = event.data;
  const { presenter, views } = deps;
  const row = await threadOf(deps, channelId);
  if (row === undefined) return [];
  const sees = await viewersOf(deps, row);
  const concerned = only(...removed, ...added.map(({ userId }) => userId));
  const shown = async ({ userId, joinedTime }: (typeof added)[number]) => {
    const member = await views.guilds.member(guildId, userId);
    const known = member === undefined ? undefined : await presenter.member(member);
    return { ...presentThreadMember(channelId, userId, { joinedTime }, known), presence: null };
  };
  const update = {
    ...{ id: channelId, guild_id: guildId, member_count: count },
    ...(added.length === 0 ? {} : { added_members: await Promise.all(added.map(shown)) }),
    ...(removed.length === 0 ? {} : { removed_member_ids: removed }),
  };
  const told: Dispatch[] = [];
  if (isPrivate && added.length > 0) {
    const thread = presentThread(row, { head: await views.unread.head(channelId) });
    for (const member of added) {
      const data = { ...thread, member: presentThreadMember(channelId, member.userId, member) };
      told.push(dispatch('THREAD_CREATE', data, Intent.guilds, only(member.userId)));
    }
  }
  told.push(
    dispatch('THREAD_MEMBERS_UPDATE', update, Intent.guildMembers, (viewer) => !concerned(viewer) && sees(viewer)),
    dispatch('THREAD_MEMBERS_UPDATE', update, Intent.guilds, concerned),
  );
  for (const { userId, joinedTime } of added) {
    const data = { ...presentThreadMember(channelId, userId, { joinedTime }), guild_id: guildId };
    told.push(dispatch('THREAD_MEMBER_UPDATE', data, Intent.guilds, only(userId)));
  }
  if (isPrivate && removed.length > 0) {
    const lost = (viewer: Viewer) => removed.includes(viewer.userId) && !sees(viewer);
    told.push(dispatch('THREAD_DELETE', presentEndedThread(row), Intent.guilds, lost));
  }
  return told;
};

const deleted: Rendering<'thread-deleted'> = async (event, _, deps) => {
  const row = await threadOf(deps, event.data.channelId);
  if (row === undefined) return [];
  return [
    dispatch(
      'THREAD_DELETE',
      presentEndedThread(row),
      intentsOf(event.type, event.data.guildId),
      await viewersOf(deps, row),
    ),
  ];
};

export const threadRenderings: { readonly [K in ThreadEvent]: Rendering<K> } = {
  'thread-created': created,
  'thread-edited': edited,
  'thread-members-changed': membersChanged,
  'thread-deleted': deleted,
  'thread-shrank': async () => [],
};
