/** The `parley` command line. */
import { Argument, Command, Option } from 'commander';
import { READABLE } from '../import/irc-lines.ts';
import { adminCreate } from './admin.ts';
import { botCreate } from './bot.ts';
import { doctorCommand } from './doctor.ts';
import { importCommand, logExport, logImport } from './log.ts';
import {
  deadLettersList,
  deadLettersRetry,
  NAMES,
  projectionsRebuild,
  projectionsStatus,
  projectionsVerify,
} from './projections.ts';
import { replayCommand } from './replay.ts';
import { restoreCommand } from './restore.ts';
import { serve } from './serve.ts';
import { Exit } from './terminal.ts';
import { explainUsage, neededOption } from './usage.ts';
import { VERSION } from './version.ts';

const program = new Command('parley')
  // Before the commands, which inherit it.
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : Exit.usage))
  .version(`parley ${VERSION}`, '-v, --version', 'print the version')
  .description('A self-hosted chat server whose only source of truth is an event log.')
  .showHelpAfterError('(parley --help lists what there is)')
  .addHelpText('after', '\nConfiguration is in PARLEY_* variables: see docs/configuration.md.');

program
  .command('serve', { isDefault: false })
  .description('start the server (PARLEY_HOST, PARLEY_PORT, PARLEY_DATA, PARLEY_PROFILE)')
  .option('--roles <list>', 'of a cluster, what this process does: gateway,api,relay,projector (PARLEY_ROLES)')
  .action(serve);

program
  .command('import')
  .description('bring in what was said elsewhere; the server must not be running')
  .command('irc')
  .description('logs of an IRC channel, once somebody has registered; again, it adds only what is missing')
  .argument('<files...>', `of a day each, with the date in the name; formats: ${READABLE}`)
  .addOption(neededOption('--guild <name>', 'name or id of a guild of the owner, made when there is none'))
  .addOption(neededOption('--channel <name>', 'name of a channel of its own, made when there is none'))
  .option('--owner <username>', 'the person whose guild it is, instead of the administrator')
  .option('--day <date>', 'YYYY-MM-DD: the day on which one file begins, when its name and its lines do not tell')
  .option(
    '--encoding <name>',
    'of the files, such as windows-1251; UTF-8, UTF-16 and Latin-1 are told apart without it',
  )
  .option('--guess-replies', 'take `nick: text` for a reply to the latest message of that person')
  .action(importCommand);

const log = program.command('log').description('the event log and the vault as a folder, to move into another store');

log
  .command('export')
  .description(
    'write every event as it is stored, and the vault, into a folder; of the embedded profile not while it runs',
  )
  .argument('<folder>', 'empty, or not there yet in a folder that is there')
  .action(logExport);

log
  .command('import')
  .description('fill an empty log and vault from such a folder, with a new epoch; again, it goes on where it stopped')
  .argument('<folder>', 'what `parley log export` has written')
  .action(logImport);

program
  .command('restore')
  .description(
    'put a backup into PARLEY_DATA, which must hold no file of a server yet, or take PARLEY_DATA itself after its disk was set back: with a new epoch, so that no session resumes into another history',
  )
  .argument('<folder>', 'the backup, which stays as it is, or PARLEY_DATA')
  .option('--accept-loss', 'go on although files are missing, older than the others or of another installation')
  .action(restoreCommand);

program
  .command('doctor')
  .description('look for damage in PARLEY_DATA; changes nothing, and a server may be running')
  .option('--log', 'read the whole event log, page by page and event by event')
  .action(({ log }: { log?: true }, command: Command) =>
    log ? doctorCommand() : command.error('error: nothing to look for: --log reads the whole event log'),
  );

const projections = program
  .command('projections')
  .description('the read models, which are made from the log: how they stand, and making them anew');
const view = () => new Argument('<name>', 'which; in the embedded profile they are one').choices(NAMES);

projections
  .command('status')
  .description('how far each view is behind the log, which generation is read, and how many dead letters there are')
  .action(projectionsStatus);

projections
  .command('rebuild')
  .description(
    'build a view from the log beside the one that is read, compare, and take it; in a cluster reads go on meanwhile',
  )
  .addArgument(view())
  .addHelpText('after', '\nIn the embedded profile the server must not be running.')
  .action(projectionsRebuild);

projections
  .command('verify')
  .description('build a view beside the one that is read, compare, and throw it away; exits with 1 where they differ')
  .addArgument(view())
  .addHelpText('after', '\nIn the embedded profile the server must not be running.')
  .action(projectionsVerify);

const deadLetters = projections
  .command('dead-letters')
  .description('events that a view could not take; later ones of their streams wait with them');

deadLetters.command('list', { isDefault: true }).description('print them').action(deadLettersList);

deadLetters
  .command('retry')
  .description('try them again: those named, or all')
  .argument('[id...]', 'as `list` prints them')
  .action(deadLettersRetry);

program
  .command('replay')
  .description('print the event log, from a running server (--url) or straight from the data folder')
  .option('--stream <name>', 'one stream, such as channel-<id>')
  .option('--prefix <text>', 'only streams whose name begins with this')
  .option('--types <list>', 'only these event types, separated by commas')
  .option('--from <number>', 'first sequence of the stream, or first position of the log')
  .option('--to <number>', 'last sequence or position')
  .option('--until <time>', 'only what happened until then: ISO 8601 with its zone, as 2024-05-01T12:00:00Z')
  .option('--follow', 'do not end: wait for new events (with --url)')
  .addOption(new Option('--format <format>', 'one JSON object a line').choices(['ndjson']).default('ndjson'))
  .option('--url <url>', 'address of a running server')
  .option('--token <token>', 'token of an administrator; PARLEY_TOKEN is read too')
  .action(replayCommand);

program
  .command('admin')
  .description('who administers a server')
  .command('create')
  .description(
    'register the first person, who administers the server, while there is none; the server must not be running',
  )
  .addOption(neededOption('--username <name>', 'their name'))
  .addHelpText('after', '\nThe password is asked for, or read from standard input when that is no terminal.')
  .action(adminCreate);

program
  .command('bot')
  .description('bots')
  .command('create')
  .description('make an application with a bot and print its token, on a running server (--url) or in the data folder')
  .addOption(neededOption('--name <name>', 'name of the bot'))
  .option('--guild <id>', 'guild to let the bot into')
  .option('--url <url>', 'address of a running server')
  .option('--token <token>', 'token of the person who will own it; PARLEY_TOKEN is read too')
  .action(botCreate);

explainUsage(program);
/** Of `parley serve`: until the server has started. */
export const done: Promise<unknown> = program.parseAsync();
