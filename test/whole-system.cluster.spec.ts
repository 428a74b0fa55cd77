/** Runs the suites of the embedded profile, unchanged, on real servers. */

import { afterAll } from 'vitest';
import { accountsSuite } from './suites/accounts.ts';
import { administeredAccountsSuite } from './suites/administered-accounts.ts';
import { auditLogSuite } from './suites/audit-log.ts';
import { badCommandsSuite } from './suites/bad-frames.ts';
import { badInputSuite } from './suites/bad-input.ts';
import { channelPlacesSuite } from './suites/channel-places.ts';
import { discordSuite } from './suites/discord.ts';
import { discordGuildSuite } from './suites/discord-guild.ts';
import { groupsSuite } from './suites/groups.ts';
import { guildKeepingSuite } from './suites/guild-keeping.ts';
import { guildLifeSuite } from './suites/guild-life.ts';
import { lawsSuite } from './suites/laws.ts';
import { limitsSuite } from './suites/limits.ts';
import { moderatedMessagesSuite } from './suites/moderated-messages.ts';
import { moderationSuite } from './suites/moderation.ts';
import { nonceSuite } from './suites/nonce.ts';
import { pinsSuite } from './suites/pins.ts';
import { privacySuite } from './suites/privacy.ts';
import { readStatesSuite } from './suites/read-states.ts';
import { relationshipsSuite } from './suites/relationships.ts';
import { reportsSuite } from './suites/reports.ts';
import { rolesSuite } from './suites/roles.ts';
import { saidSuite } from './suites/said.ts';
import { threadsSuite } from './suites/threads.ts';
import { someName } from './support/api.ts';
import { startClusterInstance } from './support/cluster-instance.ts';
import type { Instance, StartInstance } from './support/instance.ts';

let shared: Instance | undefined;

/** Starting takes seconds, and most suites make their own people and guilds, so they share one instance without limits. */
const startShared: StartInstance = async () => {
  if (shared === undefined) {
    const started = await startClusterInstance();
    shared = { ...started, administrator: await started.api.register(someName('root')) };
  }
  return { ...shared, close: async () => {} };
};

afterAll(() => shared?.close());

// What refuses bad input and bad frames is the same in both profiles. What it lets through reaches other stores.
badInputSuite(startShared, 1);
badCommandsSuite(startShared, 1);
administeredAccountsSuite(startShared, async () => {});
// That restarts lose nothing of what is stored is the same in both profiles too: the ids below and the laws are enough.
pinsSuite(startShared, false);
threadsSuite(startShared);
rolesSuite(startShared);
moderatedMessagesSuite(startShared);
moderationSuite(startShared);
auditLogSuite(startShared);
guildLifeSuite(startShared);
channelPlacesSuite(startShared);
guildKeepingSuite(startShared);
readStatesSuite(startShared);
relationshipsSuite(startShared);
reportsSuite(startShared);
saidSuite(startShared);
groupsSuite(startShared);
accountsSuite(startShared);
nonceSuite(startShared, false);
// A third of the stories: what differs from the embedded profile shows in few, and each costs seconds on real servers.
lawsSuite(startShared, 3);
discordGuildSuite(startShared);
privacySuite(startShared);
discordSuite(startShared);
limitsSuite(startClusterInstance);
