/** Separate databases for specs. */

import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { urls } from './endpoints.ts';

const run = async (url: string, statement: string): Promise<void> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
};

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** An empty database on one of the two servers. */
export const createDatabase = async (server: 'postgres' | 'views' = 'postgres'): Promise<TestDatabase> => {
  const name = `t${randomBytes(6).toString('hex')}`;
  await run(urls[server], `CREATE DATABASE ${name}`);
  return {
    url: urls[server].replace(/[^/]*$/, name),
    drop: () => run(urls[server], `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
};
