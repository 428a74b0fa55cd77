/** The audit logs while their store lags behind the log: what it does not hold yet is among what this node has received. */

import type { AuditSubject } from '../../../domain/audit-log.ts';
import { compareIds } from '../../../domain/snowflake.ts';
import { StoreUnavailable } from '../../../schemas/errors.ts';
import { type AuditQuery, type AuditReader, type AuditRecord, type AuditRow, type Known, rowAfter } from './view.ts';

interface CurrentAuditLogOptions {
  readonly stored: AuditReader;
  /**
   * The records of a guild that this node has received and the store may not hold, in position order; `undefined` while some
   * of them are not at hand.
   */
  readonly received: (guildId: string) => readonly AuditRecord[] | undefined;
}

const RETRY_SECONDS = 2;

const isWithin = ({ action, actorId, id }: AuditRecord, { before, after, ...query }: AuditQuery): boolean =>
  action !== 0 &&
  actorId === (query.actorId ?? actorId) &&
  (before === undefined || compareIds(id, before) < 0) &&
  (after === undefined || compareIds(id, after) > 0);

/** In the order in which a query asks for them. */
const inOrder = <Entry extends { readonly id: string }>(
  entries: readonly Entry[],
  { after }: AuditQuery,
): readonly Entry[] => {
  const ascending = entries.toSorted((a, b) => compareIds(a.id, b.id));
  return after === undefined ? ascending.reverse() : ascending;
};

export class CurrentAuditLog implements AuditReader {
  private readonly options: CurrentAuditLogOptions;

  constructor(options: CurrentAuditLogOptions) {
    this.options = options;
  }

  /** @throws StoreUnavailable while nobody knows what the store lacks */
  private received(guildId: string): readonly AuditRecord[] {
    const received = this.options.received(guildId);
    if (received === undefined) throw new StoreUnavailable('guild-views', RETRY_SECONDS);
    return received;
  }

  async entries(guildId: string, query: AuditQuery): Promise<readonly AuditRow[]> {
    // Taken before the store is asked: it may hold more by the time it answers.
    const received = this.received(guildId);
    const stored = await this.options.stored.entries(guildId, query);
    const known = new Set(stored.map(({ id }) => id));
    const fresh = received.filter((record) => isWithin(record, query) && !known.has(record.id));
    const rows: AuditRow[] = [];
    for (const record of inOrder(fresh, query)) {
      if (rows.length === query.limit) break;
      const before = await this.knownAmong(received, guildId, [record.subject], record.position);
      const row = rowAfter(record, before.get(record.subject)?.value ?? null);
      // Which action it is may only be known now.
      if (row.action === (query.action ?? row.action)) rows.push(row);
    }
    return inOrder([...stored, ...rows], query).slice(0, query.limit);
  }

  known(guildId: string, subjects: readonly AuditSubject[], before: number): Promise<ReadonlyMap<string, Known>> {
    return this.knownAmong(this.received(guildId), guildId, subjects, before);
  }

  private async knownAmong(
    received: readonly AuditRecord[],
    guildId: string,
    subjects: readonly AuditSubject[],
    before: number,
  ): Promise<ReadonlyMap<string, Known>> {
    const { stored } = this.options;
    const known = new Map(await stored.known(guildId, subjects, before));
    for (const subject of subjects) {
      const [last, former] = received
        .filter((record) => record.subject === subject && record.position < before)
        .toReversed();
      if (last === undefined) continue;
      const earlier = former ?? (await stored.known(guildId, [subject], last.position)).get(subject);
      known.set(subject, { value: last.value, former: earlier?.value ?? null });
    }
    return known;
  }
}
