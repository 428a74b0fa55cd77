/** Servers that come as jars, fetched once with Maven into a folder that every set of servers shares. */

import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { librariesFolder } from '../paths.ts';
import { ServiceMissing } from '../port.ts';
import { programFrom } from './debian.ts';
import { withLock } from './lock.ts';
import { findProgram, run } from './run.ts';

const JAVA = '/usr/lib/jvm';
const folders = ['amd64', 'arm64'].map((machine) => join(JAVA, `java-17-openjdk-${machine}`, 'bin'));

/** Both servers run on Java 17; Cassandra 5.0 supports nothing newer. */
export const java = (tell: (message: string) => void): Promise<string> =>
  programFrom(['openjdk-17-jre-headless'], () => findProgram('java', folders), tell);

const pomOf = (name: string, coordinates: readonly string[]): string => {
  const dependencies = coordinates.map((coordinate) => {
    const [group, artifact, version] = coordinate.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>parley.services</groupId><artifactId>${name}</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>${dependencies.join('\n    ')}</dependencies>
</project>
`;
};

export const jarsFolder = (name: string): string => join(librariesFolder, name);

/**
 * Fetches `coordinates` (group:artifact:version) and their dependencies, unless exactly these are there.
 *
 * @throws ServiceMissing when Maven is missing or cannot fetch them
 */
export const fetchJars = async (
  name: string,
  coordinates: readonly string[],
  tell: (message: string) => void,
): Promise<void> => {
  const folder = jarsFolder(name);
  const pom = pomOf(name, coordinates);
  // The pom is moved into place with the jars, so it shows that they are complete and which they are.
  const isThere = async () =>
    existsSync(join(folder, 'pom.xml')) && (await readFile(join(folder, 'pom.xml'), 'utf8')) === pom;
  if (await isThere()) return;
  await java(tell);
  const maven = await programFrom(['maven'], () => findProgram('mvn'), tell);
  await withLock(join(librariesFolder, `${name}.lock`), async () => {
    if (await isThere()) return;
    tell(`fetching ${coordinates[0]} with Maven (once)`);
    const draft = `${folder}.part`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true });
    await writeFile(join(draft, 'pom.xml'), pom);
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${draft}`];
    try {
      // -U: Maven remembers a failed look-up, and would not try again for a day.
      await run(maven, ['-B', '-q', '-U', '-f', join(draft, 'pom.xml'), ...goal]);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      throw new ServiceMissing(`${coordinates[0]} could not be fetched: ${(error as Error).message}`);
    }
    await rm(folder, { recursive: true, force: true });
    await rename(draft, folder);
  });
};
