#!/usr/bin/env node
/** The `parley` command line. */
import { Command } from 'commander';
import { importCommand } from './import.ts';
import { serve } from './serve.ts';

const program = new Command('parley')
  .description('A self-hosted chat server whose only source of truth is an event log.')
  .showHelpAfterError('(parley --help lists what there is)')
  .addHelpText('after', '\nConfiguration is in PARLEY_* variables: see docs/configuration.md.');

program
  .command('serve', { isDefault: false })
  .description('start the server (PARLEY_HOST, PARLEY_PORT, PARLEY_DATA)')
  .action(serve);

program
  .command('import')
  .description('bring in what was said elsewhere; the server must not be running')
  .command('irc')
  .description('logs of an IRC channel, one file a day with its date in the name; again, it adds only what is missing')
  .argument('<files...>')
  .requiredOption('--guild <name>', 'name or id of a guild of the administrator, made when there is none')
  .requiredOption('--channel <name>', 'name of a channel of its own, made when there is none')
  .action(importCommand);

await program.parseAsync();
