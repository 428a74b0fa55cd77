/** What the embedded profile is held to, the same suites word for word, on real servers. */
import { afterAll } from 'vitest';
import { badFramesSuite } from './suites/bad-frames.ts';
import { badInputSuite } from './suites/bad-input.ts';
import { discordSuite } from './suites/discord.ts';
import { killSuite } from './suites/kill.ts';
import { lawsSuite } from './suites/laws.ts';
import { limitsSuite } from './suites/limits.ts';
import { nonceSuite } from './suites/nonce.ts';
import { privacySuite } from './suites/privacy.ts';
import { startClusterInstance } from './support/cluster-instance.ts';
import type { Instance, StartInstance } from './support/instance.ts';

/** Suites with the same environment share a cluster: each makes its own people and guilds, and starting takes seconds. */
const clusters = new Map<string, Promise<Instance>>();

const start: StartInstance = async (env) => {
  const key = JSON.stringify(env ?? 'limits off');
  const cluster = clusters.get(key) ?? startClusterInstance(env);
  clusters.set(key, cluster);
  return { ...(await cluster), close: async () => {} };
};

afterAll(async () => {
  for (const started of await Promise.allSettled(clusters.values()))
    if (started.status === 'fulfilled') await started.value.close();
});

discordSuite(start);
nonceSuite(start);
lawsSuite(start);
badInputSuite(start);
badFramesSuite(start);
privacySuite(start);
limitsSuite(start);
killSuite(start);
