/** The long form of `administered-accounts.e2e.spec.ts` for a cluster: it looks through all files of all its servers. */

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { OwnServices } from '../../services/port.ts';
import { privateServices } from '../../services/private.ts';
import { administeredAccountsSuite } from '../suites/administered-accounts.ts';
import { someName } from '../support/api.ts';
import { startClusterInstance } from '../support/cluster-instance.ts';
import { createNamespace } from '../support/namespace.ts';

const filesWith = (directory: string, texts: readonly string[]): readonly string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => {
      const bytes = readFileSync(path);
      return texts.some((text) => bytes.includes(text));
    })
    .map((path) => relative(directory, path));

describe('on servers of its own', () => {
  let own: OwnServices;

  beforeAll(async () => {
    own = await privateServices();
    await own.start('postgres', 'views', 'redis', 'kafka', 'cassandra');
  });
  afterAll(() => own?.destroy());

  administeredAccountsSuite(
    async (env) => startClusterInstance(env, { namespace: await createNamespace(own.urls) }),
    async (instance, texts) => {
      // The search finds what is there.
      const kept = someName('kept');
      await instance.api.register(kept);
      await instance.server().kill();
      await own.stop();
      expect(filesWith(own.directory, [kept])).not.toEqual([]);
      const found = new Map(texts.map((text) => [text, filesWith(own.directory, [text])]));
      // PostgreSQL writes over a row that is gone only when it needs the space: docs/forgetting.md says so.
      const ofName = found.get(texts.at(-1)!)!.filter((path) => !path.startsWith('data/postgres/'));
      expect([...found.values()].slice(0, -1).flat()).toEqual([]);
      expect(ofName).toEqual([]);
    },
  );
});
