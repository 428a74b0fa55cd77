/**
 * A process that appends to `channel-1` of the log in argv[2], one event after another, argv[3] of them, and prints
 * each acknowledged sequence. If the log cannot be opened, the error goes to stderr, with exit code 3.
 */

import { either } from 'fp-ts';
import { systemClock } from '../../schemas/clock.ts';
import { batch } from '../testing.ts';
import { openSqliteEventLog } from './event-log.ts';

const [directory = '', count = ''] = process.argv.slice(2);

const log = await openSqliteEventLog({ clock: systemClock, directory }).catch((error: Error) => {
  process.stderr.write(error.message);
  process.exit(3);
});
process.stdout.write('open\n');
const { sequence } = await log.streamHead('channel-1');
for (let expected = sequence; expected < sequence + Number(count); expected += 1) {
  const answer = await log.append(batch('channel-1', expected));
  if (either.isLeft(answer)) throw new Error(JSON.stringify(answer.left));
  process.stdout.write(`${expected + 1}\n`);
}
process.stdout.write('done\n');
// Holds the log open until told to end.
process.stdin.resume();
