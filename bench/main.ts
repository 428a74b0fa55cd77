/**
 * `npm run bench [-- name...] [--json]`: runs benches one after another and reports each result. Without names it runs
 * those of the embedded profile. `cluster` means all of the cluster profile, which need its servers, and `log-kurrentdb` all
 * of the log in KurrentDB, on the server of `--url` or on a stand-in. `peers` measures Parley beside the servers of
 * `--centrifugo` and `--tinode`.
 */

import { append } from './append.ts';
import { type Asked, readArguments, USAGE } from './arguments.ts';
import { type Bench, reached, round } from './bench.ts';
import { besideRelay } from './beside-relay.ts';
import { channels } from './channels.ts';
import { bare } from './children/bare.ts';
import { crowd } from './children/crowd.ts';
import { kurrentdb } from './children/kurrentdb.ts';
import { relay } from './children/relay.ts';
import { createTalkers } from './children/talkers.ts';
import { clusterBenches } from './cluster/index.ts';
import { cold } from './cold.ts';
import { commands } from './commands.ts';
import { fanout, fanoutBursts } from './fanout.ts';
import { history } from './history.ts';
import { kurrentBenches } from './kurrentdb/index.ts';
import { guildCreate, members, membersJoin } from './members.ts';
import { type PeerUrls, peerBenches } from './peers/index.ts';
import { replay } from './replay.ts';
import { restart } from './restart.ts';
import { resume } from './resume.ts';
import { sessions } from './sessions.ts';
import { serveProgram } from './support/child.ts';
import { removeMillion } from './support/million.ts';
import { removePopulous } from './support/populous.ts';
import { threads } from './threads.ts';

const KURRENTDB = 'log-kurrentdb';
const PEERS = 'peers';
const REPORT = 'report';

const embeddedBenches: readonly Bench[] = [
  append,
  commands,
  ...besideRelay,
  channels,
  fanout,
  fanoutBursts,
  threads,
  sessions,
  resume,
  history,
  cold,
  restart,
  replay,
  members,
  membersJoin,
  guildCreate,
];

/** Names that stand for several benches. */
const groupsOf = (url: string | undefined, peers: PeerUrls): Readonly<Record<string, readonly Bench[]>> => ({
  cluster: clusterBenches,
  [KURRENTDB]: kurrentBenches(url),
  [PEERS]: peerBenches(peers),
});

const programs = { bare, crowd, kurrentdb, relay, talkers: createTalkers() };

interface Outcome {
  readonly name: string;
  readonly title: string;
  /** `REPORT` where there is no target. */
  readonly reach: string;
  readonly ratio: number | null;
  readonly reached: boolean;
  readonly figures: Readonly<Record<string, number | string>>;
  readonly seconds: number;
  readonly failure?: string;
}

/** The longest name, and a space. */
const NAME_WIDTH =
  1 + Math.max(...[embeddedBenches, ...Object.values(groupsOf(undefined, {}))].flat().map(({ name }) => name.length));

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const measured = async (bench: Bench): Promise<Outcome> => {
  const { name, title, reach } = bench;
  const wanted =
    reach === undefined ? REPORT : `${reach.comparison} ${reach.value}${reach.unit ? ` ${reach.unit}` : ''}`;
  const shown = { name, title, reach: wanted };
  let begun = performance.now();
  const seconds = () => round((performance.now() - begun) / 1_000, 1);
  try {
    await bench.prepare?.();
    begun = performance.now();
    const { ratio, figures } = await bench.run();
    return {
      ...shown,
      ratio: ratio === null ? null : round(ratio, 2),
      reached: reach === undefined || (ratio !== null && reached(reach, ratio)),
      figures,
      seconds: seconds(),
    };
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    return { ...shown, ratio: null, reached: false, figures: {}, seconds: seconds(), failure };
  }
};

const verdict = ({ reach, reached, failure }: Outcome): string => {
  if (reach === REPORT && failure === undefined) return '';
  return reached ? 'reached' : 'NOT REACHED';
};

const line = (outcome: Outcome): string => {
  const figures = Object.entries(outcome.figures).map(([name, value]) =>
    typeof value === 'string' ? `${name}: ${value}` : `${value.toLocaleString('en')} ${name}`,
  );
  return [
    outcome.name.padEnd(NAME_WIDTH),
    String(outcome.ratio ?? (outcome.failure === undefined ? '' : 'failed')).padStart(8),
    (outcome.reach === REPORT ? `  ${REPORT}` : `  reach ${outcome.reach}`).padEnd(18),
    verdict(outcome).padEnd(13),
    outcome.failure ?? figures.join(', '),
    ` (${outcome.seconds} s)`,
  ].join('');
};

const refuse = (reason: string): void => {
  say(reason);
  process.exitCode = 2;
};

const list = (benches: readonly Bench[]): void => {
  // In one write: whoever reads the first lines alone may have gone by the next.
  say([USAGE, '', ...benches.map(({ name, title }) => `  ${name.padEnd(NAME_WIDTH)} ${title}`)].join('\n'));
};

const run = async (chosen: readonly Bench[], json: boolean): Promise<void> => {
  const outcomes: Outcome[] = [];
  try {
    for (const bench of chosen) {
      const outcome = await measured(bench);
      outcomes.push(outcome);
      if (!json) say(line(outcome));
    }
  } finally {
    await removeMillion();
    await removePopulous();
  }
  if (json) say(JSON.stringify(outcomes, null, 2));
  if (outcomes.some((outcome) => outcome.failure !== undefined)) process.exitCode = 1;
};

const main = async (): Promise<void> => {
  let asked: Asked;
  try {
    asked = readArguments(process.argv.slice(2));
  } catch (error) {
    refuse((error as Error).message);
    return;
  }
  const { names, json, help, url, peers } = asked;
  const groups = groupsOf(url, peers);
  const benches = [...embeddedBenches, ...Object.values(groups).flat()];
  const known = [...Object.keys(groups), ...benches.map((bench) => bench.name)];
  const unknown = names.filter((name) => !known.includes(name));
  for (const name of unknown) refuse(`There is no bench "${name}".`);
  if (help || unknown.length > 0) list(benches);
  else if (url !== undefined && !names.some((name) => name.startsWith(KURRENTDB)))
    refuse(`--url names the server of ${KURRENTDB}: npm run bench -- ${KURRENTDB} --url ...`);
  else if (Object.keys(peers).length > 0 && !names.some((name) => name.startsWith(PEERS)))
    refuse(`--centrifugo and --tinode name servers of ${PEERS}: npm run bench -- ${PEERS} --centrifugo ...`);
  else {
    // In the order of the list, not of the arguments.
    const isChosen = (bench: Bench) => names.some((name) => bench.name === name || groups[name]?.includes(bench));
    await run(names.length === 0 ? embeddedBenches : benches.filter(isChosen), json);
  }
};

if (process.argv[2] === 'child') serveProgram(programs[process.argv[3] as keyof typeof programs]);
else await main();
