/** How far a person has read in each channel. Stream `read-<user>`; the last event about a channel wins. */
import type { DecidedEvent } from '../schemas/events/catalogue.ts';
import { type Decision, type Fold, happen, nothing, type StreamState } from './decider.ts';

/** One event in this many carries the whole map, so a reader can start there. */
export const WHOLE_MAP_EVERY = 1000;

/** Of one channel's entry in memory. */
const MARKER_BYTES = 120;

export interface ReadState extends StreamState {
  channels: Map<string, number>;
  /** Of channels marked as unread: the ordinal of the last message then. */
  back: Map<string, number>;
}

interface ReadStateJson {
  readonly sequence: number;
  readonly channels: readonly (readonly [string, number])[];
  readonly back: readonly (readonly [string, number])[];
}

export const readFold: Fold<ReadState> = {
  version: 2,
  initial: () => ({ sequence: 0, channels: new Map(), back: new Map() }),
  evolve: (state, event) => {
    state.sequence = event.sequence;
    if (event.type === 'channels-read') {
      for (const [channelId, ordinal] of Object.entries(event.data.channels)) state.channels.set(channelId, ordinal);
      for (const [channelId, last] of Object.entries(event.data.back)) state.back.set(channelId, last);
    }
    return state;
  },
  bytes: ({ channels, back }) => MARKER_BYTES * (channels.size + back.size + 1),
  toJson: ({ sequence, channels, back }): ReadStateJson => ({ sequence, channels: [...channels], back: [...back] }),
  fromJson: (json) => {
    const { sequence, channels, back } = json as ReadStateJson;
    return { sequence, channels: new Map(channels), back: new Map(back) };
  },
};

/** How far a channel is read. */
export interface Mark {
  readonly channelId: string;
  /** Already clamped to the channel's head. A lower ordinal than before changes nothing. */
  readonly ordinal: number;
  /** How far the person has read as the views know it: own messages and joining count too. */
  readonly known: number;
}

/** The views may not know yet that the channel was marked as unread: then what was read up to its last message is not read. */
const readBefore = ({ channelId, known }: Mark, { channels, back }: ReadState): number =>
  Math.max(known > (back.get(channelId) ?? 0) ? known : 0, channels.get(channelId) ?? 0);

/** Of several marks of one channel the highest counts. */
export const markRead = (userId: string, marks: readonly Mark[], state: ReadState): Decision => {
  const channels: Record<string, number> = {};
  for (const mark of marks) {
    const { channelId, ordinal } = mark;
    if (ordinal > Math.max(readBefore(mark, state), channels[channelId] ?? 0)) channels[channelId] = ordinal;
  }
  return Object.keys(channels).length === 0
    ? nothing
    : happen({ type: 'channels-read', data: { userId, channels, back: {}, whole: false } });
};

/**
 * Marks a channel as unread behind a message: the one way in which a marker goes back.
 * @param command.last ordinal of the channel's last message
 */
export const markUnread = (
  { userId, channelId, ordinal, last }: Omit<Mark, 'known'> & { readonly userId: string; readonly last: number },
  state: ReadState,
): Decision => {
  const isSo = state.channels.get(channelId) === ordinal && state.back.get(channelId) === last;
  if (isSo) return nothing;
  const data = { userId, channels: { [channelId]: ordinal }, back: { [channelId]: last }, whole: false };
  return happen({ type: 'channels-read', data });
};

/** Merges the reads of one turn, in their order, into one event, which carries the whole map when that is due. */
export const mergeReads = (events: readonly DecidedEvent[], state: ReadState): readonly DecidedEvent[] => {
  const reads = events.filter((event) => event.type === 'channels-read');
  const first = reads[0];
  if (first === undefined) return events;
  const whole = (state.sequence + 1) % WHOLE_MAP_EVERY === 0;
  const channels: Record<string, number> = whole ? Object.fromEntries(state.channels) : {};
  const back: Record<string, number> = whole ? Object.fromEntries(state.back) : {};
  for (const { data } of reads) {
    for (const [channelId, ordinal] of Object.entries(data.channels)) {
      const last = data.back[channelId];
      if (last !== undefined) back[channelId] = last;
      channels[channelId] = last === undefined ? Math.max(channels[channelId] ?? 0, ordinal) : ordinal;
    }
  }
  return [{ type: 'channels-read', data: { userId: first.data.userId, channels, back, whole } }];
};
