// Tells in words that Node is too old, before anything is loaded that such a Node cannot even read. So this is JavaScript
// for any Node that knows modules.

/** As `engines` in package.json says. */
export const OLDEST_NODE = '20.15';

const numbers = (version) => version.split('.').map(Number);

export const isTooOld = (version) => {
  const [major, minor] = numbers(version);
  const [leastMajor, leastMinor] = numbers(OLDEST_NODE);
  return major < leastMajor || (major === leastMajor && minor < leastMinor);
};

if (isTooOld(process.versions.node)) {
  process.stderr.write(
    `parley: Parley needs Node ${OLDEST_NODE} or newer, and this is Node ${process.versions.node}. Install a newer one: https://nodejs.org\n`,
  );
  process.exit(1);
}
