/** How far each partition of the distribution log has got, moved in the transaction that stores its rows. */
import type { Ask, Postgres } from './connection.ts';
import { rowsOf } from './rows.ts';

export class Checkpoints {
  private readonly postgres: Postgres;
  private readonly schema: string;
  private readonly all: string;
  private readonly one: string;
  private readonly onward: string;
  private readonly held: string;
  private readonly forward: string;

  constructor(postgres: Postgres, schema: string) {
    this.postgres = postgres;
    this.schema = schema;
    const table = `${schema}.checkpoints`;
    this.all = `SELECT partition, position FROM ${table}`;
    this.one = `SELECT position FROM ${table} WHERE partition = $1`;
    this.onward = `INSERT INTO ${table} AS c
      SELECT $1::integer, $4::bigint
      WHERE $2::bigint = 0 OR EXISTS (SELECT FROM ${table} WHERE partition = $1)
      ON CONFLICT (partition) DO UPDATE SET position = excluded.position WHERE c.position BETWEEN $2 AND $3
      RETURNING position`;
    this.held = `${this.all} WHERE partition = ANY($1::integer[]) ORDER BY partition FOR UPDATE`;
    this.forward = `INSERT INTO ${table} AS c SELECT * FROM ${rowsOf(table)} ORDER BY partition
      ON CONFLICT (partition) DO UPDATE SET position = excluded.position WHERE c.position < excluded.position`;
  }

  async readAll(): Promise<ReadonlyMap<number, number>> {
    const rows = await this.postgres.ask<{ partition: number; position: number }>({ text: this.all });
    return new Map(rows.map(({ partition, position }) => [partition, position]));
  }

  /**
   * Moves it where it stands at `from` or, because nothing happens in between, anywhere since `since`; the row is held until
   * the transaction ends, so of two who try one waits and is then refused.
   * @returns where it stands instead; `undefined` when it was moved.
   */
  async move(ask: Ask, partition: number, since: number, from: number, to: number): Promise<number | undefined> {
    const values = [partition, since, from, to];
    const moved = await ask({ name: `${this.schema} checkpoint`, text: this.onward, values });
    if (moved.length > 0) return undefined;
    const [row] = await ask<{ position: number }>({ text: this.one, values: [partition] });
    return row?.position ?? 0;
  }

  /** Holds these, in order, and tells where they stand. */
  async hold(ask: Ask, partitions: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const rows = await ask<{ partition: number; position: number }>({ text: this.held, values: [partitions] });
    return new Map(rows.map(({ partition, position }) => [partition, position]));
  }

  /** Moves these on; one that somebody has moved further stays. */
  async moveOn(ask: Ask, positions: ReadonlyMap<number, number>): Promise<void> {
    const rows = [...positions].map(([partition, position]) => ({ partition, position }));
    if (rows.length > 0) await ask({ text: this.forward, values: [JSON.stringify(rows)] });
  }
}
