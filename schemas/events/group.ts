/** Events of a group direct message, in its own stream `channel-<id>` beside what is said in it. */
import * as t from 'io-ts';
import { channelAudience, userAudience } from '../streams.ts';
import { itsChannel, structure } from './channel.ts';
import { defineEvent, nobody } from './definition.ts';

/** All that can change about a group. */
export const Group = t.type({
  /** Null: it is called by the names of its people. */
  name: t.union([t.string, t.null]),
  ownerId: t.string,
  /** In the order in which they came. */
  participants: t.array(t.string),
});
export type Group = t.TypeOf<typeof Group>;

const OfGroup = t.type({
  channelId: t.string,
  /** As it is afterwards. */
  group: Group,
});

const Recipient = t.intersection([
  OfGroup,
  /** Who comes or goes. */
  t.type({ userId: t.string }),
]);

/** Also filed for the person, who finds it even when no longer in the group. */
const coming = {
  ...structure,
  codec: Recipient,
  audiences: ({ data }: { readonly data: t.TypeOf<typeof Recipient> }) => [
    channelAudience(data.channelId),
    userAudience(data.userId),
  ],
  indexedFor: ({ data }: { readonly data: t.TypeOf<typeof Recipient> }) => [userAudience(data.userId)],
  changesRights: true,
} as const;

const RecipientAdded = defineEvent(coming);
const RecipientRemoved = defineEvent(coming);

/** It has another name or another owner. */
const GroupEdited = defineEvent({
  ...structure,
  codec: OfGroup,
  audiences: itsChannel,
  indexedFor: nobody,
  changesRights: false,
});

/** By their stored names. */
export const groupEvents = {
  'recipient-added': RecipientAdded,
  'recipient-removed': RecipientRemoved,
  'group-edited': GroupEdited,
} as const;
