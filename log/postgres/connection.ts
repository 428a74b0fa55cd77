/** Connections to PostgreSQL: how they are made, and which failures say nothing about what was asked. */
import { Client, type ClientConfig, DatabaseError, Pool } from 'pg';

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

export const connectTo = async (url: string, onLost: () => void): Promise<Client> => {
  const client = new Client(configOf(url));
  // An idle connection that breaks says so only here; unheard it would end the process.
  client.on('error', onLost);
  client.on('end', onLost);
  await client.connect();
  return client;
};

export const poolOf = (url: string, size: number): Pool => {
  const pool = new Pool({ ...configOf(url), max: size, idleTimeoutMillis: 60_000 });
  pool.on('error', () => {});
  return pool;
};

/** SQLSTATE of a full disk, and of others that speak of resources or of a server that goes away. */
export const isFull = (error: unknown): boolean => error instanceof DatabaseError && error.code === '53100';

/** An error the server itself answered with and that another try would meet again. */
export const isFinal = (error: unknown): boolean =>
  error instanceof DatabaseError && !/^(08|40|53|55|57|58)/.test(error.code ?? '');

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
