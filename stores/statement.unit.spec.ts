import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { builder } from './sqlite/statements.ts';
import { statement } from './statement.ts';

const db = builder<{ people: { id: number; name: string; age: number } }>();

describe('a statement that is built once', () => {
  it('takes its values in the order of the function’s parameters, whatever their order in the text', () => {
    const { sql: text, bind } = statement((limit: number, name: string) =>
      db.selectFrom('people').select('id').where('name', '=', name).limit(limit),
    );
    expect(text).toBe('select "id" from "people" where "name" = ? limit ?');
    expect(bind([5, 'Ann'])).toEqual(['Ann', 5]);
  });

  it('may use a value several times', () => {
    const { bind } = statement((age: number) =>
      db.selectFrom('people').select('id').where('age', '>', age).where('id', '<', age),
    );
    expect(bind([7])).toEqual([7, 7]);
  });

  it('has no constants except literals in its text', () => {
    const adults = (age: number) => db.selectFrom('people').select('id').where('age', '>=', age);
    expect(() => statement((name: string) => adults(18).where('name', '=', name))).toThrow(/sql\.lit/);
    const written = statement((name: string) =>
      db.selectFrom('people').select('id').where('age', '>=', sql.lit(18)).where('name', '=', name),
    );
    expect(written.sql).toContain('"age" >= 18');
  });
});
