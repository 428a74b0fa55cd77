#!/usr/bin/env node
/** The `parley` command line. */
import { Command } from 'commander';
import { serve } from './serve.ts';

const program = new Command('parley')
  .description('A self-hosted chat server whose only source of truth is an event log.')
  .showHelpAfterError('(parley --help lists what there is)')
  .addHelpText('after', '\nConfiguration is in PARLEY_* variables: see docs/configuration.md.');

program
  .command('serve', { isDefault: false })
  .description('start the server (PARLEY_HOST, PARLEY_PORT, PARLEY_DATA)')
  .action(serve);

await program.parseAsync();
