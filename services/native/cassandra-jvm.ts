/** Options for Cassandra's Java 17. Without the exports and opens it fails at start. */

const exported = [
  'java.base/jdk.internal.misc',
  'java.base/java.lang.ref',
  'java.management.rmi/com.sun.jmx.remote.internal.rmi',
  'java.rmi/sun.rmi.registry',
  'java.rmi/sun.rmi.server',
  'java.sql/java.sql',
  'jdk.unsupported/sun.misc',
  'jdk.attach/sun.tools.attach',
];

const opened = [
  ...[
    'java.lang',
    'java.lang.module',
    'java.lang.reflect',
    'java.io',
    'java.nio',
    'java.util',
    'java.util.concurrent',
    'java.util.concurrent.atomic',
    'sun.nio.ch',
    'jdk.internal.loader',
    'jdk.internal.math',
    'jdk.internal.module',
    'jdk.internal.ref',
    'jdk.internal.reflect',
    'jdk.internal.util.jar',
  ].map((name) => `java.base/${name}`),
  'jdk.management/com.sun.management.internal',
];

export const cassandraJvm: readonly string[] = [
  // The heap is locked in memory, so it starts small.
  '-Xms128m',
  '-Xmx768m',
  '-XX:MaxDirectMemorySize=256m',
  '-Xss512k',
  // A concurrent collector or the optimising compiler would take one of two cores for minutes.
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  // Its clock for time-outs would otherwise wake up 500 times a second, which takes 2 % of a core.
  '-Dcassandra.approximate_time_precision_ms=50',
  '-Djdk.attach.allowAttachSelf=true',
  '-Dcassandra-foreground=yes',
  '-Dio.netty.tryReflectionSetAccessible=true',
  // A single node has no neighbours to wait for.
  '-Dcassandra.ring_delay_ms=0',
  '-Dcassandra.skip_wait_for_gossip_to_settle=0',
  '-Dcassandra.shutdown_announce_in_ms=0',
  '-Dcassandra.superuser_setup_delay_ms=0',
  ...exported.map((name) => `--add-exports=${name}=ALL-UNNAMED`),
  ...opened.map((name) => `--add-opens=${name}=ALL-UNNAMED`),
];
