/** Kafka from Maven Central: one node that is both broker and controller. */

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { fetchJars, jarsFolder, java } from './maven.ts';
import { run } from './run.ts';
import type { NativeService, Place } from './service.ts';

const JARS = ['org.apache.kafka:kafka_2.13:4.1.1', 'org.slf4j:slf4j-simple:1.7.36'];
const MEMORY = ['-Xms256m', '-Xmx384m', '-XX:MaxDirectMemorySize=128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
const PROBE_MS = 2_000;

const classPath = (): readonly string[] => ['-cp', join(jarsFolder('kafka'), '*')];

const propertiesOf = ({ data, ports }: Place): string => {
  const broker = `PLAINTEXT://127.0.0.1:${ports.kafka}`;
  const controller = `127.0.0.1:${ports.kafkaController}`;
  return `${Object.entries({
    'process.roles': 'broker,controller',
    'node.id': '1',
    listeners: `${broker},CONTROLLER://${controller}`,
    'advertised.listeners': `${broker},CONTROLLER://${controller}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.bootstrap.servers': controller,
    'log.dirs': data,
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
    'log.cleaner.dedupe.buffer.size': '4194304',
    // Idle threads look for work several times a second, and an idle controller writes twice a second, without end.
    'num.network.threads': '1',
    'num.io.threads': '2',
    'background.threads': '2',
    'group.coordinator.threads': '1',
    'metadata.max.idle.interval.ms': '0',
    // Without these two, a restart after kill -9 waits 14 s for the session of the killed broker to expire.
    'broker.session.timeout.ms': '1500',
    'broker.heartbeat.interval.ms': '300',
  })
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')}\n`;
};

const format = async (command: string, place: Place, file: string): Promise<void> => {
  if (existsSync(join(place.data, 'meta.properties'))) return;
  // An incomplete format is useless, and Kafka refuses to format over it.
  await rm(place.data, { recursive: true, force: true });
  await mkdir(place.data, { recursive: true });
  const cluster = randomBytes(16).toString('base64url').replace(/^-/, 'A');
  const tool = ['kafka.tools.StorageTool', 'format', '--standalone', '-t', cluster, '-c', file];
  await run(command, ['-Xmx128m', '-XX:TieredStopAtLevel=1', ...classPath(), ...tool]);
};

export const kafka: NativeService = {
  port: (ports) => ports.kafka,
  endSignal: 'SIGTERM',
  install: (tell) => fetchJars('kafka', JARS, tell),
  prepare: async (place) => {
    await mkdir(place.configuration, { recursive: true });
    const file = join(place.configuration, 'server.properties');
    await writeFile(file, propertiesOf(place));
    const command = await java(() => {});
    await format(command, place, file);
    const logging = '-Dorg.slf4j.simpleLogger.showDateTime=true';
    return { command, args: [...MEMORY, logging, ...classPath(), 'kafka.Kafka', file] };
  },
  probe: async (port) => {
    const client = new Kafka({
      brokers: [`127.0.0.1:${port}`],
      logLevel: logLevel.NOTHING,
      connectionTimeout: PROBE_MS,
      requestTimeout: PROBE_MS,
      retry: { retries: 0 },
    });
    const admin = client.admin();
    try {
      await admin.connect();
      const { controller } = await admin.describeCluster();
      if (controller === null || controller < 0) throw new Error('Kafka has no controller yet');
    } finally {
      await admin.disconnect().catch(() => {});
    }
  },
};
