/** The command line of `npm run services`. */

import { Command, InvalidArgumentError } from 'commander';
import { sharedServices } from './index.ts';
import type { Progress } from './port.ts';
import { isServiceName, type ServiceName, serviceNames } from './ports.ts';
import { endAbandoned } from './private.ts';

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const progress: Progress = (name, message) => print(name === undefined ? message : `${name.padEnd(10)}${message}`);

const serviceName = (text: string, former: readonly ServiceName[] = []): readonly ServiceName[] => {
  if (!isServiceName(text)) throw new InvalidArgumentError(`There are ${serviceNames.join(', ')}.`);
  return [...former, text];
};

const services = sharedServices(progress);
const program = new Command('npm run services --')
  .description('The servers that the cluster profile, its tests and its benches need, on loopback.')
  .showHelpAfterError();

program
  .command('up')
  .description('start what is down, and wait until it answers')
  .argument('[names...]', serviceNames.join(', '), serviceName)
  .action((names: readonly ServiceName[]) => services.start(...names));

program
  .command('down')
  .description('end what was started; data stays')
  .argument('[names...]', serviceNames.join(', '), serviceName)
  .action(async (names: readonly ServiceName[]) => {
    await services.stop(...names);
    await endAbandoned();
  });

program
  .command('status')
  .description('what is up, where, as which process')
  .action(async () => {
    for (const { name, state, port, pid } of await services.status()) {
      print(
        [name.padEnd(10), state.padEnd(8), `port ${port}`, pid === undefined ? '' : `pid ${pid}`].join(' ').trimEnd(),
      );
    }
  });

program
  .command('logs')
  .description('the end of what the servers say')
  .argument('[names...]', serviceNames.join(', '), serviceName)
  .option('-n, --lines <count>', 'how many lines of each', '40')
  .action(async (names: readonly ServiceName[], { lines }: { lines: string }) => {
    const known = (await services.status()).filter(({ state }) => state !== 'unavailable').map(({ name }) => name);
    for (const name of names.length === 0 ? known : names)
      print(`--- ${name}\n${await services.logs(name, Number(lines))}`);
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
