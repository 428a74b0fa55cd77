/** Cassandra from Maven Central: one node that syncs every acknowledged write to disk. */

import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { cassandraJvm } from './cassandra-jvm.ts';
import { fetchJars, jarsFolder, java } from './maven.ts';
import type { NativeService, Place } from './service.ts';

const JARS = ['org.apache.cassandra:cassandra-all:5.0.9'];
const PROBE_MS = 2_000;

const LOGBACK = `<configuration>
  <appender name="STDOUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%date{ISO8601} %-5level [%thread] %logger{0} - %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="STDOUT"/></root>
</configuration>
`;

// JSON is valid YAML, so the file needs no quoting of our own.
const yamlOf = ({ data, ports }: Place): string =>
  JSON.stringify(
    {
      cluster_name: 'parley',
      num_tokens: 1,
      initial_token: '0',
      auto_bootstrap: false,
      partitioner: 'org.apache.cassandra.dht.Murmur3Partitioner',
      endpoint_snitch: 'SimpleSnitch',
      listen_address: '127.0.0.1',
      rpc_address: '127.0.0.1',
      native_transport_port: ports.cassandra,
      storage_port: ports.cassandraStorage,
      seed_provider: [
        {
          class_name: 'org.apache.cassandra.locator.SimpleSeedProvider',
          parameters: [{ seeds: `127.0.0.1:${ports.cassandraStorage}` }],
        },
      ],
      data_file_directories: [join(data, 'data')],
      commitlog_directory: join(data, 'commitlog'),
      cdc_raw_directory: join(data, 'cdc_raw'),
      hints_directory: join(data, 'hints'),
      saved_caches_directory: join(data, 'saved_caches'),
      commitlog_sync: 'batch',
      commitlog_segment_size: '16MiB',
      commitlog_total_space: '256MiB',
      commitlog_disk_access_mode: 'legacy',
      disk_failure_policy: 'die',
      commit_failure_policy: 'die',
      memtable_heap_space: '192MiB',
      memtable_offheap_space: '64MiB',
      file_cache_size: '64MiB',
      concurrent_compactors: 1,
      hinted_handoff_enabled: false,
      auto_snapshot: false,
      dynamic_snitch: false,
    },
    undefined,
    2,
  );

export const cassandra: NativeService = {
  port: (ports) => ports.cassandra,
  endSignal: 'SIGTERM',
  install: (tell) => fetchJars('cassandra', JARS, tell),
  prepare: async (place) => {
    await mkdir(place.data, { recursive: true });
    await mkdir(place.configuration, { recursive: true });
    await writeFile(join(place.configuration, 'cassandra.yaml'), yamlOf(place));
    await writeFile(join(place.configuration, 'logback.xml'), LOGBACK);
    const jars = jarsFolder('cassandra');
    return {
      // A flush takes every core for half a second, and timelines may wait longer than messages. At 10 it starves on a busy
      // machine: a change of tables then takes minutes.
      niceness: 5,
      command: await java(() => {}),
      args: [
        ...cassandraJvm,
        `-javaagent:${join(jars, 'jamm-0.4.0.jar')}`,
        `-Dcassandra.config=file://${join(place.configuration, 'cassandra.yaml')}`,
        `-Dcassandra.storagedir=${place.data}`,
        // What is written is in the commit log, but the tables that a killed node knows are those it had flushed.
        ...(place.neverKilled ? ['-Dcassandra.test.flush_local_schema_changes=false'] : []),
        `-Dlogback.configurationFile=file://${join(place.configuration, 'logback.xml')}`,
        '-cp',
        `${place.configuration}:${join(jars, '*')}`,
        'org.apache.cassandra.service.CassandraDaemon',
      ],
    };
  },
  /** An OPTIONS frame of protocol version 4, answered by SUPPORTED (opcode 6). */
  probe: (port) =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, timeout: PROBE_MS });
      const fail = (message: string) => {
        socket.destroy();
        reject(new Error(message));
      };
      socket.once('connect', () => socket.write(Uint8Array.of(4, 0, 0, 0, 5, 0, 0, 0, 0)));
      socket.once('timeout', () => fail('no answer'));
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('Cassandra closed the connection')));
      socket.once('data', (frame) => {
        if (frame[4] !== 6) return fail(`answered with opcode ${frame[4]}`);
        resolve();
        socket.destroy();
      });
    }),
};
