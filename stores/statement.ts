/** Queries that Kysely builds once, with a place for each value that is given whenever they are asked. */
import type { CompiledQuery } from 'kysely';

class Place {
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
  /** Never there: carries the type. */
  readonly row?: Row;
}

/**
 * @param build is called once, with places instead of values. What is the same at every asking is written by `sql.lit`.
 * @param count of the values, where the function itself does not tell.
 */
export const statement = <Given extends readonly unknown[], Row>(
  build: Build<Given, Row>,
  count = build.length,
): Statement<Given, Row> => {
  const places = Array.from({ length: count }, (_, index) => new Place(index));
  const { sql, parameters } = build(...(places as unknown as Given)).compile();
  const order = parameters.map((parameter) => {
    if (!(parameter instanceof Place)) throw new TypeError(`Write ${JSON.stringify(parameter)} by sql.lit: ${sql}`);
    return parameter.index;
  });
  const straight = order.length === places.length && order.every((index, at) => index === at);
  return { sql, bind: (given) => (straight ? given : order.map((index) => given[index])) };
};
