/**
 * `npm run bench [-- name...] [--json]`: runs benches one after another and reports each result. Without names it runs
 * those of the embedded profile. `cluster` means all of the cluster profile, which need its servers.
 */

import { parseArgs } from 'node:util';
import { type Bench, reached, round } from './bench.ts';
import { bare } from './children/bare.ts';
import { crowd } from './children/crowd.ts';
import { talkersProgram } from './children/talkers.ts';
import { clusterBenches } from './cluster/index.ts';
import { cold } from './cold.ts';
import { commands } from './commands.ts';
import { fanout, fanoutBursts } from './fanout.ts';
import { history } from './history.ts';
import { latency } from './latency.ts';
import { replay } from './replay.ts';
import { restart } from './restart.ts';
import { resume } from './resume.ts';
import { sessions } from './sessions.ts';
import { serveProgram } from './support/child.ts';
import { removeMillion } from './support/million.ts';
import { appendFigures } from './support/raw-appends.ts';

const CLUSTER = 'cluster';
const REPORT = 'report';

const append: Bench = {
  name: 'append',
  title: 'EventLog port, 64 appenders, 300-byte events / raw libsql in equal batches',
  reach: { comparison: '>=', value: 0.6 },
  run: async () => {
    const { port, raw, ratio } = await appendFigures();
    return { figures: { 'port events/s': port, 'raw events/s': raw }, ratio };
  },
};

const embeddedBenches: readonly Bench[] = [
  append,
  commands,
  latency,
  fanout,
  fanoutBursts,
  sessions,
  resume,
  history,
  cold,
  restart,
  replay,
];

const benches = [...embeddedBenches, ...clusterBenches];

/** In the order of the list, not of the arguments. */
const chosen = (names: readonly string[]): readonly Bench[] =>
  names.length === 0
    ? embeddedBenches
    : benches.filter(
        (bench) => names.includes(bench.name) || (names.includes(CLUSTER) && clusterBenches.includes(bench)),
      );

const programs = { bare, crowd, talkers: talkersProgram };

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
const NAME_WIDTH = 1 + Math.max(...benches.map(({ name }) => name.length));

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
      ratio: round(ratio, 2),
      reached: reach === undefined || reached(reach, ratio),
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
  const figures = Object.entries(outcome.figures).map(([name, value]) => `${value.toLocaleString('en')} ${name}`);
  return [
    outcome.name.padEnd(NAME_WIDTH),
    String(outcome.ratio ?? 'failed').padStart(8),
    (outcome.reach === REPORT ? `  ${REPORT}` : `  reach ${outcome.reach}`).padEnd(18),
    verdict(outcome).padEnd(13),
    outcome.failure ?? figures.join(', '),
    ` (${outcome.seconds} s)`,
  ].join('');
};

const main = async (): Promise<void> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  const known = [CLUSTER, ...benches.map((bench) => bench.name)];
  const unknown = positionals.filter((name) => !known.includes(name));
  if (values.help || unknown.length > 0) {
    for (const name of unknown) say(`There is no bench "${name}".`);
    say(`npm run bench [-- name...] [--json]; ${CLUSTER} for all of the cluster profile\n`);
    for (const { name, title } of benches) say(`  ${name.padEnd(NAME_WIDTH)} ${title}`);
    process.exitCode = unknown.length > 0 ? 2 : 0;
    return;
  }
  const outcomes: Outcome[] = [];
  try {
    for (const bench of chosen(positionals)) {
      const outcome = await measured(bench);
      outcomes.push(outcome);
      if (!values.json) say(line(outcome));
    }
  } finally {
    await removeMillion();
  }
  if (values.json) say(JSON.stringify(outcomes, null, 2));
  if (outcomes.some((outcome) => outcome.failure !== undefined)) process.exitCode = 1;
};

if (process.argv[2] === 'child') serveProgram(programs[process.argv[3] as keyof typeof programs]);
else await main();
