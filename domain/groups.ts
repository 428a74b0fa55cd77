/** Group direct messages: channels of up to ten people, one of whom owns it. Stream `channel-<id>`, as every channel. */
import type { DecidedEvent, EventData } from '../schemas/events/catalogue.ts';
import { MessageType } from '../schemas/events/channel.ts';
import type { Group } from '../schemas/events/group.ts';
import { type ChannelActor, type ChannelState, denied, postedLast, rightsIn } from './channel.ts';
import { type Decision, happen, isDecision, nothing, refuse } from './decider.ts';
import { type Patch, patched } from './patch.ts';

/** People of a group. */
export const MAX_RECIPIENTS = 10;

/** What is created already is asked for once more, and stays. */
export const createGroup = (
  command: {
    readonly channel: EventData<'channel-created'>;
    /** Why its maker may not have these people in it. */
    readonly refusal: Decision | undefined;
    /** Whether one of the people may be in no further group. */
    readonly isFull: boolean;
  },
  state: ChannelState,
): Decision => {
  if (state.settings !== undefined) return nothing;
  if (command.refusal !== undefined) return command.refusal;
  return command.isFull ? refuse('maximumGroups') : happen({ type: 'channel-created', data: command.channel });
};

interface InGroup extends ChannelActor {
  readonly key: string;
  readonly channelId: string;
  /** The clock, in milliseconds since 1970. */
  readonly now: number;
  /** Low bits of the id of the message that says so. */
  readonly low: bigint;
}

/** The group; `undefined` for any other channel. */
const groupOf = ({ settings }: ChannelState): Group | undefined =>
  settings?.ownerId === undefined
    ? undefined
    : { name: settings.details.name || null, ownerId: settings.ownerId, participants: [...settings.participants] };

/** The group, or the refusal for whoever is not in it. */
const enter = (command: ChannelActor, state: ChannelState): Group | Decision =>
  denied(rightsIn(state, command), 0n) ?? groupOf(state) ?? refuse('wrongChannelType');

export const addRecipient = (
  command: InGroup & {
    readonly targetId: string;
    /** Why the caller may not add them. */
    readonly refusal: Decision | undefined;
    /** Whether they may be in no further group. */
    readonly isFull: boolean;
  },
  state: ChannelState,
): Decision => {
  const group = enter(command, state);
  if (isDecision(group)) return group;
  const { channelId, targetId: userId, key } = command;
  if (state.keys.has(key) || group.participants.includes(userId)) return nothing;
  if (command.refusal !== undefined) return command.refusal;
  if (group.participants.length >= MAX_RECIPIENTS) return refuse('maximumRecipients');
  if (command.isFull) return refuse('maximumGroups');
  const after = { ...group, participants: [...group.participants, userId] };
  return happen(
    { type: 'recipient-added', data: { channelId, userId, group: after } },
    postedLast({ author: command.userId, type: MessageType.recipientAdd, users: [userId] }, command, state),
  );
};

/** Whoever owns the group removes others, and everybody themselves. */
export const removeRecipient = (command: InGroup & { readonly targetId: string }, state: ChannelState): Decision => {
  const group = enter(command, state);
  // Of a repeat the caller is in it no more.
  if (isDecision(group)) return state.keys.has(command.key) ? nothing : group;
  const { channelId, targetId: userId, userId: by, key } = command;
  if (userId !== by && group.ownerId !== by) return refuse('missingPermissions');
  if (state.keys.has(key) || !group.participants.includes(userId)) return nothing;
  return happen(
    ...goneFrom(group, { channelId, userId }),
    postedLast({ author: by, type: MessageType.recipientRemove, users: [userId] }, command, state),
  );
};

interface Gone {
  readonly channelId: string;
  readonly userId: string;
}

/** The one who came next owns the group then, if anybody is left. */
const goneFrom = (group: Group, { channelId, userId }: Gone): readonly DecidedEvent[] => {
  const left = { ...group, participants: group.participants.filter((id) => id !== userId) };
  const gone: DecidedEvent = { type: 'recipient-removed', data: { channelId, userId, group: left } };
  const next = group.ownerId === userId ? left.participants[0] : undefined;
  return next === undefined
    ? [gone]
    : [gone, { type: 'group-edited', data: { channelId, group: { ...left, ownerId: next } } }];
};

/** A step of a process: whose account is deleted leaves without a word. */
export const withoutRecipient = (gone: Gone, state: ChannelState): Decision => {
  const group = groupOf(state);
  return group?.participants.includes(gone.userId) === true ? happen(...goneFrom(group, gone)) : nothing;
};

type Editable = Pick<Group, 'name' | 'ownerId'>;
const NOTHING_SET: Editable = { name: null, ownerId: '' };

/** Everybody names the group; whoever owns it hands it on. */
export const editGroup = (command: InGroup & { readonly patch: Patch<Editable> }, state: ChannelState): Decision => {
  const former = enter(command, state);
  if (isDecision(former)) return former;
  const { channelId, userId, key, patch } = command;
  // Of a repeat the caller owns it no more.
  if (state.keys.has(key)) return nothing;
  const group = { ...former, ...patched<Editable>(former, patch, NOTHING_SET) };
  const isRenamed = group.name !== former.name;
  if (group.ownerId !== former.ownerId) {
    if (former.ownerId !== userId) return refuse('missingPermissions');
    if (!group.participants.includes(group.ownerId)) return refuse('unknownUser');
  } else if (!isRenamed) return nothing;
  const edited: DecidedEvent = { type: 'group-edited', data: { channelId, group } };
  if (!isRenamed) return happen(edited);
  const renamed = { author: userId, type: MessageType.channelNameChange, content: group.name ?? '' };
  return happen(edited, postedLast(renamed, command, state));
};
