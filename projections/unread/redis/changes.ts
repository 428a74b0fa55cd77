/** From changes to what the script takes: keys, each once, and arguments that name them by their index. */
import type { MentionTarget, UnreadChange } from '../port.ts';
import type { Keys } from './keys.ts';

/** Who is mentioned with everyone is mentioned once. */
const mentioned = (targets: readonly MentionTarget[]): string =>
  targets.includes('everyone') ? 'everyone' : targets.join(' ');

export interface Encoded {
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

/** Of one partition: the stream that each of these changes comes from must be the partition's. */
export const encode = (keys: Keys, partition: number, changes: readonly UnreadChange[]): Encoded => {
  const indexes = new Map<string, string>();
  const args: string[] = [];
  const indexOf = (key: string): string => {
    const known = indexes.get(key) ?? String(indexes.size + 1);
    indexes.set(key, known);
    return known;
  };
  indexOf(keys.at(partition));
  for (const change of changes) {
    const { channelId } = change;
    switch (change.kind) {
      case 'head': {
        const { sequence, position, posted } = change;
        args.push('head', indexOf(keys.head(channelId)), String(sequence), String(position));
        args.push(posted === null ? '' : String(posted.ordinal), posted?.messageId ?? '');
        break;
      }
      case 'read': {
        const { userId, ordinal } = change;
        if (change.own) {
          args.push('own', indexOf(keys.own(channelId)), userId, String(ordinal));
          break;
        }
        args.push('read', indexOf(keys.markers(userId)), channelId, String(ordinal));
        // A head that another partition writes may be behind this marker, which the command has kept within it.
        args.push(keys.partitionOfChannel(channelId) === partition ? indexOf(keys.head(channelId)) : '0');
        break;
      }
      case 'mentions':
        args.push('mentions', indexOf(keys.mentions(channelId)), indexOf(keys.targets(channelId)));
        args.push(String(change.ordinal), change.fresh ? '1' : '0', mentioned(change.targets));
        break;
    }
  }
  return { keys: [...indexes.keys()], args };
};

/** The partition of the stream that a change comes from. */
export const partitionOfChange = (keys: Keys, change: UnreadChange): number =>
  change.kind === 'read' && !change.own
    ? keys.partitionOfUser(change.userId)
    : keys.partitionOfChannel(change.channelId);
