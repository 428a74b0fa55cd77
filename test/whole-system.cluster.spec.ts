/** What the embedded profile is held to, the same suites word for word, on real servers. */

import { afterAll } from 'vitest';
import { badFramesSuite } from './suites/bad-frames.ts';
import { badInputSuite } from './suites/bad-input.ts';
import { discordSuite } from './suites/discord.ts';
import { lawsSuite } from './suites/laws.ts';
import { limitsSuite } from './suites/limits.ts';
import { nonceSuite } from './suites/nonce.ts';
import { pinsSuite } from './suites/pins.ts';
import { privacySuite } from './suites/privacy.ts';
import { startClusterInstance } from './support/cluster-instance.ts';
import type { Instance, StartInstance } from './support/instance.ts';

let shared: Instance | undefined;

/** Starting takes seconds, and these suites make people and guilds of their own. */
const startShared: StartInstance = async () => {
  shared ??= await startClusterInstance();
  return { ...shared, close: async () => {} };
};

afterAll(() => shared?.close());

discordSuite(startClusterInstance);
// Whoever registers first administers the server, and may ask for more that is bad.
badInputSuite(startClusterInstance);
limitsSuite(startClusterInstance);
// It says more in a second than the shared one lets anybody say.
pinsSuite(startClusterInstance);
nonceSuite(startShared);
lawsSuite(startShared);
badFramesSuite(startShared);
privacySuite(startShared);
