/** Finds the fold of a stream by its name. */

import { administratorsFold } from './administrators.ts';
import { channelFold } from './channel.ts';
import { creationFold } from './creation.ts';
import type { Fold } from './decider.ts';
import { directFold } from './direct.ts';
import { guildFold } from './guild.ts';
import { inviteFold } from './invite.ts';
import { memberFold } from './member.ts';
import { notificationsFold } from './notifications.ts';
import { readFold } from './read-markers.ts';
import { relationshipFold } from './relationship.ts';
import { reportFold } from './report.ts';
import { userFold } from './user.ts';

/** By the first word of a stream's name. */
export const folds: Readonly<Record<string, unknown>> = {
  channel: channelFold,
  guild: guildFold,
  member: memberFold,
  invite: inviteFold,
  dm: directFold,
  relationship: relationshipFold,
  report: reportFold,
  user: userFold,
  read: readFold,
  settings: notificationsFold,
  creation: creationFold,
  instance: administratorsFold,
};

/** The fold of a stream, or `undefined` for a name of no known kind. */
export const foldOf = (stream: string): Fold<unknown> | undefined => {
  const kind = stream.slice(0, stream.indexOf('-'));
  return Object.hasOwn(folds, kind) ? (folds[kind] as Fold<unknown>) : undefined;
};
