/** The types of what clients receive. Their codecs are in `schemas/http/shapes.ts`. */

import type * as t from 'io-ts';
import type * as shapes from '../schemas/http/shapes.ts';

export type ApiUser = t.TypeOf<typeof shapes.User>;
export type ApiGuildSettings = t.TypeOf<typeof shapes.GuildSettings>;
export type ApiRelationship = t.TypeOf<typeof shapes.Relationship>;
export type ApiSelf = t.TypeOf<typeof shapes.Self>;
export type ApiFullUser = t.TypeOf<typeof shapes.FullUser>;
export type ApiProfile = t.TypeOf<typeof shapes.UserProfile>;
export type ApiPartialMember = t.TypeOf<typeof shapes.PartialMember>;
export type ApiMember = t.TypeOf<typeof shapes.Member>;
export type ApiBan = t.TypeOf<typeof shapes.Ban>;
export type ApiChannel = t.TypeOf<typeof shapes.Channel>;
export type ApiThreadMember = t.TypeOf<typeof shapes.ThreadMember>;
export type ApiRole = t.TypeOf<typeof shapes.Role>;
export type ApiGuild = t.TypeOf<typeof shapes.Guild>;
export type ApiReaction = t.TypeOf<typeof shapes.Reaction>;
export type ApiMessage = t.TypeOf<typeof shapes.Message>;
export type ApiAuditEntry = t.TypeOf<typeof shapes.AuditEntry>;
export type ApiAuditChange = t.TypeOf<typeof shapes.AuditChange>;
export type ApiOwnReport = t.TypeOf<typeof shapes.OwnReport>;
export type ApiReport = t.TypeOf<typeof shapes.Report>;
export type ApiInvite = t.TypeOf<typeof shapes.Invite>;
