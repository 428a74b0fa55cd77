/** How far each partition of the distribution log has got: all in one partition, read and written together. */
import { Together } from '../../together/index.ts';
import type { Cassandra } from './connection.ts';
import type { Tables } from './generations.ts';

export class Checkpoints {
  private readonly cassandra: Cassandra;
  private readonly projection: string;
  private readonly all: string;
  private readonly put: string;
  private readonly reads = new Together<void, ReadonlyMap<number, number>>(() => this.readAll());
  private readonly writes = new Together<ReadonlyMap<number, number>, void>((some) => this.writeAll(some));

  constructor(cassandra: Cassandra, { checkpoints }: Tables, projection: string) {
    this.cassandra = cassandra;
    this.projection = projection;
    this.all = `SELECT partition, position FROM ${checkpoints} WHERE projection = ?`;
    this.put = `UPDATE ${checkpoints} USING TIMESTAMP ? SET position = ? WHERE projection = ? AND partition = ?`;
  }

  async readAll(): Promise<ReadonlyMap<number, number>> {
    const rows = await this.cassandra.execute<{ partition: number; position: bigint }>(this.all, [this.projection]);
    return new Map(rows.map((row) => [row.partition, Number(row.position)]));
  }

  async read(partition: number): Promise<number> {
    return (await this.reads.with()).get(partition) ?? 0;
  }

  /** The position is the timestamp too, so that none ever moves back. */
  async write(positions: ReadonlyMap<number, number>): Promise<void> {
    if (positions.size > 0) await this.writes.with(positions);
  }

  private async writeAll(some: readonly ReadonlyMap<number, number>[]): Promise<void> {
    const furthest = new Map<number, number>();
    for (const [partition, position] of some.flatMap((positions) => [...positions]))
      furthest.set(partition, Math.max(position, furthest.get(partition) ?? 0));
    await this.cassandra.batch(
      [...furthest].map(([partition, position]) => ({
        query: this.put,
        params: [BigInt(position), BigInt(position), this.projection, partition],
      })),
    );
  }
}
