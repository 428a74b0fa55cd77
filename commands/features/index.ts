/** The list of all commands. The server knows a feature once it is listed here. */

import type * as t from 'io-ts';
import { FOLLOWED_UP } from '../../schemas/events/catalogue.ts';
import type { Command } from '../command.ts';
import type { FollowUps } from '../processes.ts';
import { disableUser, enableUser, nameAdministrator, removeAccount, removeAdministrator } from './administration.ts';
import { createApplication, resetBotToken } from './applications.ts';
import { banMember, bulkBan, kickMember, unbanMember } from './bans.ts';
import { addBot } from './bots.ts';
import { bulkDeleteMessages } from './bulk-delete.ts';
import { moveChannels } from './channel-places.ts';
import { createChannel, deleteChannel, editChannel, startTyping } from './channels.ts';
import { openDirect } from './direct-messages.ts';
import { joinPublic } from './discovery.ts';
import { addToGroup, removeFromGroup } from './groups.ts';
import { createGuild, deleteGuild, editGuild, pauseGuild } from './guilds.ts';
import { createInvite, deleteInvite } from './invites.ts';
import { editMember, editOwnMember } from './member-edit.ts';
import { joinGuild, leaveGuild } from './members.ts';
import { deleteMessage, editMessage, sendMessage } from './messages.ts';
import { editNotifications } from './notifications.ts';
import { putOverwrite, removeOverwrite } from './overwrites.ts';
import { pinMessage, unpinMessage } from './pins.ts';
import { editProfile } from './profile.ts';
import { addReaction, clearEmoji, clearReactions, removeReaction, removeReactionOf } from './reactions.ts';
import { markChannelRead, markChannelsRead } from './read-markers.ts';
import { deleteRelationship, setRelationship } from './relationships.ts';
import { handleAnyReport, handleReport, reportMessage } from './reports.ts';
import { createRole, deleteRole, editRole, giveRole, moveRoles, takeRole } from './roles.ts';
import { addToThread, beginThread, createThread, joinThread, leaveThread, removeFromThread } from './threads.ts';

const features = [
  sendMessage,
  editMessage,
  deleteMessage,
  bulkDeleteMessages,
  addReaction,
  removeReaction,
  removeReactionOf,
  clearReactions,
  clearEmoji,
  pinMessage,
  unpinMessage,
  reportMessage,
  handleReport,
  handleAnyReport,
  markChannelRead,
  markChannelsRead,
  startTyping,
  createInvite,
  deleteInvite,
  joinGuild,
  createGuild,
  editGuild,
  deleteGuild,
  pauseGuild,
  joinPublic,
  leaveGuild,
  createChannel,
  editChannel,
  deleteChannel,
  moveChannels,
  beginThread,
  createThread,
  joinThread,
  leaveThread,
  addToThread,
  removeFromThread,
  createRole,
  editRole,
  moveRoles,
  deleteRole,
  editMember,
  editOwnMember,
  kickMember,
  banMember,
  unbanMember,
  bulkBan,
  giveRole,
  takeRole,
  putOverwrite,
  removeOverwrite,
  addBot,
  openDirect,
  addToGroup,
  removeFromGroup,
  editProfile,
  editNotifications,
  setRelationship,
  deleteRelationship,
  createApplication,
  resetBotToken,
  nameAdministrator,
  removeAdministrator,
  disableUser,
  enableUser,
  removeAccount,
] as const;

type Feature = (typeof features)[number];
export type CommandType = Feature['type'];
/** A table: a conditional type of each command would take a quarter of the type check. */
type FieldsOfCommands = { [F in Feature as F['type']]: t.TypeOf<F['codec']> };
/** The fields of a command, of path and body together. */
export type CommandFields<K extends CommandType> = FieldsOfCommands[K];

/** In the order in which clients see them. */
export const commands: readonly Command[] = features;

/** What follows in other streams, by the type of the causing event. */
export const followUps: FollowUps = Object.assign({}, ...commands.map(({ follow }) => follow));
for (const type of FOLLOWED_UP)
  if (followUps[type] === undefined)
    throw new Error(`The catalogue says that something follows ${type}; no command says what.`);
