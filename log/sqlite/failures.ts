/** What an error of SQLite means for a batch that was being stored. */
import type { AppendError } from '../port.ts';

const FULL = 13;
const IO_ERROR = 10;
const IO_ERROR_FSYNC = 1034;
const IO_ERROR_DIRECTORY_FSYNC = 1290;

/** SQLite's extended result code; 0 for anything that does not come from SQLite. */
const codeOf = (error: unknown): number => {
  const code = (error as { rawCode?: unknown }).rawCode;
  return typeof code === 'number' ? code : 0;
};

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * After a failed fsync nobody knows what is on the disk, and asking again may wrongly say that all is well: the process
 * has to end and read its files anew. The same holds for any input or output error of a commit.
 */
export const isFatal = (error: unknown, phase: 'insert' | 'commit'): boolean => {
  const code = codeOf(error);
  if (code === IO_ERROR_FSYNC || code === IO_ERROR_DIRECTORY_FSYNC) return true;
  return phase === 'commit' && (code & 0xff) === IO_ERROR;
};

/** The answer to an appender whose batch was rolled back. */
export const appendError = (error: unknown): AppendError =>
  (codeOf(error) & 0xff) === FULL ? { kind: 'full' } : { kind: 'unavailable', reason: reasonOf(error) };
