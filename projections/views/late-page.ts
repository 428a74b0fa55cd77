/** A page in ascending order of ids, together with changes that its view does not hold yet. */

interface PageOfIds {
  readonly after?: string;
  readonly limit: number;
}

interface LatePage<Row> {
  readonly query: PageOfIds;
  /** What the changes make of these ids: a row, or `undefined` for what is no longer there. */
  readonly changed: ReadonlyMap<string, Row | undefined>;
  readonly idOf: (row: Row) => string;
  /** Asks the view. */
  readonly stored: (query: PageOfIds) => Promise<readonly Row[]>;
}

export const latePage = async <Row>({ query, changed, idOf, stored }: LatePage<Row>): Promise<readonly Row[]> => {
  if (changed.size === 0) return stored(query);
  // As many rows more as may have gone.
  const limit = query.limit + changed.size;
  const rows = await stored({ ...query, limit });
  const after = BigInt(query.after ?? '-1');
  const through = rows.length < limit ? undefined : BigInt(idOf(rows.at(-1)!));
  const isWithin = (id: bigint) => id > after && (through === undefined || id <= through);
  const present = [...changed.values()].flatMap((row) =>
    row === undefined || !isWithin(BigInt(idOf(row))) ? [] : [row],
  );
  return [...rows.filter((row) => !changed.has(idOf(row))), ...present]
    .sort((a, b) => (BigInt(idOf(a)) < BigInt(idOf(b)) ? -1 : 1))
    .slice(0, query.limit);
};
