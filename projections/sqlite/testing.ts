/** For specs: a database in memory with the tables of one projection. */
import Database from 'libsql';
import type { Connection } from './statements.ts';

export const memoryDatabase = (tables: string): Connection => {
  const db = new Database(':memory:');
  db.exec(tables);
  return db;
};
