/** What a long form measured, on its own line of the run's output. */
export const figure = (what: string, values: readonly number[], unit = 'ms'): void => {
  const sorted = values.map(Math.round).sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  const all = sorted.length === 1 ? middle : `${sorted[0]} to ${sorted.at(-1)}, median ${middle}`;
  process.stderr.write(`figure: ${what}: ${all} ${unit} (${sorted.length})\n`);
};
