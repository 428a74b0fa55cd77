/** Queries that Kysely builds once, with placeholders for the values of each execution. */
import type { CompiledQuery } from 'kysely';

class Placeholder {
  readonly index: number;
  constructor(index: number) {
    this.index = index;
  }
}

export type Build<Given extends readonly unknown[], Row> = (...given: Given) => { compile(): CompiledQuery<Row> };

export interface Statement<Given extends readonly unknown[], Row> {
  readonly sql: string;
  /** The given values in the order in which the text names them. */
  bind(given: Given): readonly unknown[];
  /** Never present: only carries the type. */
  readonly row?: Row;
}

/**
 * @param build called once, with placeholders for values. Write constants with `sql.lit`.
 * @param count number of values, if the function's own length does not tell.
 */
export const statement = <Given extends readonly unknown[], Row>(
  build: Build<Given, Row>,
  count = build.length,
): Statement<Given, Row> => {
  const places = Array.from({ length: count }, (_, index) => new Placeholder(index));
  const { sql, parameters } = build(...(places as unknown as Given)).compile();
  const order = parameters.map((parameter) => {
    if (!(parameter instanceof Placeholder))
      throw new TypeError(`Write ${JSON.stringify(parameter)} by sql.lit: ${sql}`);
    return parameter.index;
  });
  const straight = order.length === places.length && order.every((index, at) => index === at);
  return { sql, bind: (given) => (straight ? given : order.map((index) => given[index])) };
};
