/** The program of a socket process. It ends with the main process. */

import { Socket } from 'node:net';
import { type Handover, IS_UP, STREAM_FD, USAGE_MS, type Usage } from '../../gateway/socket-processes/entries.ts';
import { HeldSockets } from '../../gateway/socket-processes/held-sockets.ts';
import { systemClock } from '../../schemas/clock.ts';

const main = new Socket({ fd: STREAM_FD, readable: true, writable: true });
const sockets = new HeldSockets(main, systemClock);
const end = () => process.exit(0);
main.on('error', end);
main.on('close', end);
process.on('disconnect', end);
// Sent to the whole group of processes; the main process sends the clients away first.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
process.on('message', (handover: Handover, socket) => sockets.take(handover, socket as Socket | undefined));
const tellUsage = (): void => {
  const { user, system } = process.cpuUsage();
  const usage: Usage = { cpuSeconds: (user + system) / 1e6, residentBytes: process.memoryUsage.rss() };
  // The main process may be gone by now.
  process.send?.(usage, undefined, undefined, () => {});
};
process.send!(IS_UP);
tellUsage();
systemClock.every(USAGE_MS, tellUsage);
