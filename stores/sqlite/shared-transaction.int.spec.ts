import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SharedTransaction } from './shared-transaction.ts';

let database: Database.Database;
let statements: string[];
let commits: SharedTransaction;
beforeEach(() => {
  database = new Database(':memory:');
  database.exec('CREATE TABLE names (name TEXT PRIMARY KEY)');
  statements = [];
  const exec = database.exec.bind(database);
  database.exec = (sql: string) => {
    statements.push(sql);
    return exec(sql);
  };
  commits = new SharedTransaction(database, 'vault', () => undefined);
});
afterEach(() => database.close());

const insert = (name: string) => () => {
  database.prepare('INSERT INTO names VALUES (?)').run([name]);
  return name;
};
const names = () => (database.prepare('SELECT name FROM names ORDER BY name').raw(true).all() as [string][]).flat();

describe('writes of one turn', () => {
  it('share one transaction, each with its own answer', async () => {
    const answers = await Promise.all(['b', 'a', 'c'].map((name) => commits.run(insert(name))));
    expect(answers).toEqual(['b', 'a', 'c']);
    expect(statements).toEqual(['BEGIN IMMEDIATE', 'COMMIT']);
    expect(names()).toEqual(['a', 'b', 'c']);
  });

  it('succeed even if one of them fails', async () => {
    const answers = await Promise.allSettled(['a', 'a', 'b'].map((name) => commits.run(insert(name))));
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(names()).toEqual(['a', 'b']);
  });

  it('are all rejected, and none stored, when the transaction cannot be committed', async () => {
    const breaking = () => {
      database.exec('ROLLBACK');
      throw new Error('the disk is full');
    };
    const answers = await Promise.allSettled([commits.run(insert('a')), commits.run(breaking)]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(names()).toEqual([]);
    expect(await commits.run(insert('b'))).toBe('b');
  });

  it('run before it closes, and none after', async () => {
    const waiting = commits.run(insert('a'));
    await commits.close(new Error('The vault is closed.'));
    expect(names()).toEqual(['a']);
    expect(await waiting).toBe('a');
    await expect(commits.run(insert('b'))).rejects.toThrow('The vault is closed.');
    expect(names()).toEqual(['a']);
  });

  it('are refused as unavailable on a full disk, and stored once there is room', async () => {
    const [pages] = database.prepare('PRAGMA page_count').raw(true).get() as [number];
    database.pragma(`max_page_count = ${pages}`);
    const long = Array.from({ length: 100 }, (_, i) => insert(`${i}`.repeat(500)));
    const answers = await Promise.allSettled(long.map((write) => commits.run(write)));
    for (const answer of answers)
      expect(answer).toMatchObject({ reason: { name: 'Error', store: 'vault', retryAfter: 30 } });
    database.pragma('max_page_count = 1000');
    await Promise.all(long.map((write) => commits.run(write)));
    expect(names()).toHaveLength(100);
  });

  it('are split beyond 1,000, so other work can run', async () => {
    await Promise.all(Array.from({ length: 1001 }, (_, i) => commits.run(insert(`${i}`))));
    expect(statements).toEqual(['BEGIN IMMEDIATE', 'COMMIT', 'BEGIN IMMEDIATE', 'COMMIT']);
    expect(names()).toHaveLength(1001);
  });
});
