/** What was done in a guild, for those who may read its audit log. */
import * as t from 'io-ts';
import { allows, Permission } from '../domain/permissions.ts';
import { integerText, Snowflake, SnowflakeBound } from '../schemas/codecs.ts';
import { OnGuild, type Route } from '../schemas/http/route.ts';
import { AuditLog } from '../schemas/http/shapes.ts';
import { found, limitOf, type ReadDeps, readRoute, refused } from './read-route.ts';

const MOST = 100;
const USUAL = 50;
/** Discord's actions have higher numbers in no version. */
const LAST_ACTION = 255;

/** Of what does not exist here. */
const NONE = {
  ...{ application_commands: [], auto_moderation_rules: [], guild_scheduled_events: [] },
  ...{ integrations: [], webhooks: [] },
};

export const auditLogRoutes = (deps: ReadDeps): Route[] => [
  readRoute(deps, {
    path: '/guilds/:guild_id/audit-logs',
    summary: 'What was done in a guild by whom, for those who may read its audit log',
    params: OnGuild,
    query: t.partial({
      user_id: Snowflake,
      action_type: integerText(1, LAST_ACTION),
      before: SnowflakeBound,
      after: SnowflakeBound,
      limit: limitOf(MOST),
    }),
    answers: 'entries, the newest first (with `after`, the oldest first), with the users and threads that they name',
    answer: AuditLog,
    handle: async ({ actor, params, query }) => {
      const access = await deps.access.guild(actor.userId, params.guild_id);
      if (access === undefined) return refused('unknownGuild');
      if (!allows(access.permissions, Permission.viewAuditLog)) return refused('missingPermissions');
      const { user_id: actorId, action_type: action, before, after, limit = USUAL } = query;
      const rows = await deps.views.audit.entries(access.guild.id, {
        ...(actorId === undefined ? {} : { actorId }),
        ...(action === undefined ? {} : { action }),
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
        limit,
      });
      const { presenter } = deps;
      const [entries, named] = await Promise.all([presenter.auditEntries(rows), presenter.namedIn(rows)]);
      return found({ audit_log_entries: entries, ...named, ...NONE });
    },
  }),
];
