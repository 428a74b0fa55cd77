/** The vault's PostgreSQL: queries that answer within seconds or say that the vault cannot be asked. */
import { Pool, type PoolClient } from 'pg';
import { isFinal } from '../../schemas/sqlstate.ts';
import { StoreUnavailable } from '../../schemas/unavailable.ts';

const CONNECT_MS = 3000;
const STATEMENT_MS = 5000;
const CONNECTIONS = 8;
const RETRY_SECONDS = 2;

export interface Database {
  rows<R>(text: string, values?: readonly unknown[]): Promise<readonly R[]>;
  /** All of it or nothing. */
  transaction<T>(work: (query: Database['rows']) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const queryOn =
  (client: Pool | PoolClient): Database['rows'] =>
  async (text, values = []) => {
    try {
      const result = await client.query({ text, values: [...values], rowMode: 'array' });
      return result.rows as never;
    } catch (error) {
      if (isFinal(error)) throw error;
      throw new StoreUnavailable('vault', RETRY_SECONDS, { cause: error });
    }
  };

/** @param url `postgres://[user:password@]host[:port]/database[?sslmode=...]` */
export const openDatabase = (url: string): Database => {
  const pool = new Pool({
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: STATEMENT_MS,
    keepAlive: true,
    application_name: 'parley vault',
  });
  // A connection that breaks is replaced; unheard, its error would end the process, be it idle or in a transaction.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return {
    rows: queryOn(pool),
    async transaction(work) {
      const client = await pool.connect().catch((error: unknown) => {
        throw new StoreUnavailable('vault', RETRY_SECONDS, { cause: error });
      });
      let broken = true;
      try {
        const query = queryOn(client);
        await query('BEGIN');
        const result = await work(query);
        await query('COMMIT');
        broken = false;
        return result;
      } finally {
        // Ending the connection takes back what was not committed.
        client.release(broken);
      }
    },
    close: () => pool.end(),
  };
};
