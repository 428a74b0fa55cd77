/** Connections to PostgreSQL: how they are made, and which failures say nothing about what was asked. */
import { Client, type ClientConfig, Pool } from 'pg';
import { sqlStateOf } from '../../schemas/sqlstate.ts';

export { isFinal } from '../../schemas/sqlstate.ts';

const CONNECT_MS = 3000;
/** A server that does not answer within this is treated as gone. */
const STATEMENT_MS = 10_000;

const configOf = (url: string): ClientConfig => ({
  connectionString: url,
  connectionTimeoutMillis: CONNECT_MS,
  query_timeout: STATEMENT_MS,
  keepAlive: true,
  application_name: 'parley log',
});

/** @param onLost told that it broke, perhaps before it was made */
export const connectTo = async (url: string, onLost: (client: Client) => void): Promise<Client> => {
  const client = new Client(configOf(url));
  // An idle connection that breaks says so only here; unheard it would end the process.
  client.on('error', () => onLost(client));
  client.on('end', () => onLost(client));
  await client.connect();
  return client;
};

export const poolOf = (url: string, size: number): Pool => {
  const pool = new Pool({ ...configOf(url), max: size, idleTimeoutMillis: 60_000 });
  pool.on('error', () => {});
  return pool;
};

/** A full disk. */
export const isFull = (error: unknown): boolean => sqlStateOf(error) === '53100';

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
