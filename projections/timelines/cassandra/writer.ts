import { bulkhead } from 'cockatiel';
import { Together } from '../../together/index.ts';
import type { TimelineChange, TimelineWriter } from '../port.ts';
import { chunksOf, packsOf } from './chunks.ts';
import type { Cassandra, Statement } from './connection.ts';
import type { Tables } from './generations.ts';
import { type RowChange, Statements } from './statements.ts';

/** Requests on their way at once. Measured: 64 saturate one node, and three nodes share the rest. */
const IN_FLIGHT = 96;

export class CassandraTimelineWriter implements TimelineWriter {
  private readonly cassandra: Cassandra;
  private readonly statements: Statements;
  private readonly limit = bulkhead(IN_FLIGHT, Number.POSITIVE_INFINITY);
  private readonly progress = new Together<readonly Statement[], void>((some) => this.send(packsOf(some.flat())));

  constructor(cassandra: Cassandra, tables: Tables, bucketSize: number) {
    this.cassandra = cassandra;
    this.statements = new Statements(tables, bucketSize);
  }

  /** Nothing is on its way any more when it resolves or rejects. How far a channel has got is written after its rows. */
  async apply(changes: readonly TimelineChange[]): Promise<void> {
    const rows: RowChange[] = [];
    const buckets: Statement[] = [];
    const through: Statement[] = [];
    for (const change of changes) {
      if (change.kind === 'through') through.push(this.statements.through(change.channelId, change.sequence));
      else {
        rows.push(change);
        const bucket = this.statements.ofBucket(change);
        if (bucket !== undefined) buckets.push(bucket);
      }
    }
    await this.send([...chunksOf(rows, this.statements), ...packsOf(buckets)]);
    if (through.length > 0) await this.progress.with(through);
  }

  private async send(chunks: readonly (readonly Statement[])[]): Promise<void> {
    const sent = await Promise.allSettled(chunks.map((chunk) => this.limit.execute(() => this.one(chunk))));
    for (const outcome of sent) if (outcome.status === 'rejected') throw outcome.reason;
  }

  private async one(chunk: readonly Statement[]): Promise<void> {
    if (chunk.length === 1) await this.cassandra.execute(chunk[0]!.query, chunk[0]!.params);
    else await this.cassandra.batch(chunk);
  }
}
