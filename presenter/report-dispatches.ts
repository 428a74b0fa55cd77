/** What is told of reports: to the reporter, and to those who handle them. Never to whoever is reported. */

import { allows, Permission } from '../domain/permissions.ts';
import { insidersOf, withParent } from '../projections/views/guild-views/access.ts';
import type { EventOf } from '../schemas/events/catalogue.ts';
import { Intent } from '../schemas/gateway/frames.ts';
import { type Dispatch, type DispatchDeps, dispatch, only, type Rendering, rightsOf, type Viewer } from './dispatch.ts';

type AboutReport = EventOf<'report-filed' | 'report-handled'>;

/** Those who see the channel that the guild has chosen for it, and manage messages where the message is. */
const moderators = async (
  { time, data: { guildId, channelId, author, reporter } }: AboutReport,
  { views: { guilds } }: DispatchDeps,
): Promise<((viewer: Viewer) => boolean) | undefined> => {
  const guild = guildId === null ? undefined : await guilds.guild(guildId);
  const chosen = guild?.safetyAlertsChannelId ?? null;
  if (guild === undefined || chosen === null) return undefined;
  const [alerts, channel] = await Promise.all([guilds.channel(chosen), guilds.channel(channelId)]);
  if (alerts === undefined || channel === undefined) return undefined;
  const [place, insiders] = [await withParent(guilds, channel), await insidersOf(guilds, channel)];
  return (viewer) =>
    viewer.userId !== author &&
    viewer.userId !== reporter &&
    viewer.isIn(guild.id) &&
    allows(rightsOf(viewer, alerts, guild), Permission.viewChannel) &&
    allows(rightsOf(viewer, place, guild, { insiders, time }), Permission.manageMessages);
};

const told = async (
  event: AboutReport,
  deps: DispatchDeps,
  name: 'PARLEY_REPORT_CREATE' | 'PARLEY_REPORT_UPDATE',
): Promise<readonly Dispatch[]> => {
  const { reportId: id, kind, guildId, channelId, messageId, author, reporter, administrators } = event.data;
  const state = event.type === 'report-handled' ? event.data.outcome : 'open';
  const data = { id, state, kind, guild_id: guildId, channel_id: channelId, message_id: messageId };
  const handlers =
    guildId === null || administrators.length > 0
      ? only(...administrators.filter((userId) => userId !== author && userId !== reporter))
      : await moderators(event, deps);
  const to = (visible: Dispatch['visibleTo']) => dispatch(name, data, Intent.none, visible);
  const own: Dispatch = { ...to(only(reporter)), toPeople: true };
  return handlers === undefined ? [own] : [own, to(handlers)];
};

export const reportRenderings: {
  readonly 'report-filed': Rendering<'report-filed'>;
  readonly 'report-handled': Rendering<'report-handled'>;
} = {
  'report-filed': (event, _, deps) => told(event, deps, 'PARLEY_REPORT_CREATE'),
  'report-handled': (event, _, deps) => told(event, deps, 'PARLEY_REPORT_UPDATE'),
};
