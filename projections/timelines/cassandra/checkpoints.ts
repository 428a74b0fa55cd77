/** How far each partition of the distribution log has got: all in one partition, read and written together. */
import type { Cassandra } from './connection.ts';
import type { Tables } from './generations.ts';

export class Checkpoints {
  private readonly cassandra: Cassandra;
  private readonly projection: string;
  private readonly all: string;
  private readonly one: string;
  private readonly put: string;

  constructor(cassandra: Cassandra, { checkpoints }: Tables, projection: string) {
    this.cassandra = cassandra;
    this.projection = projection;
    this.all = `SELECT partition, position FROM ${checkpoints} WHERE projection = ?`;
    this.one = `SELECT position FROM ${checkpoints} WHERE projection = ? AND partition = ?`;
    this.put = `UPDATE ${checkpoints} USING TIMESTAMP ? SET position = ? WHERE projection = ? AND partition = ?`;
  }

  async readAll(): Promise<ReadonlyMap<number, number>> {
    const rows = await this.cassandra.execute<{ partition: number; position: bigint }>(this.all, [this.projection]);
    return new Map(rows.map((row) => [row.partition, Number(row.position)]));
  }

  async read(partition: number): Promise<number> {
    const rows = await this.cassandra.execute<{ position: bigint }>(this.one, [this.projection, partition]);
    return Number(rows[0]?.position ?? 0n);
  }

  /** The position is the timestamp too, so that none ever moves back. */
  async write(positions: ReadonlyMap<number, number>): Promise<void> {
    if (positions.size === 0) return;
    await this.cassandra.batch(
      [...positions].map(([partition, position]) => ({
        query: this.put,
        params: [BigInt(position), BigInt(position), this.projection, partition],
      })),
    );
  }
}
