import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ports } from '../endpoints.ts';
import { checkout } from '../paths.ts';

const read = (file: string): string => readFileSync(join(checkout, file), 'utf8');

/** The entries of a top-level section, by name: the lines indented below each. */
const partsOf = (text: string, section: string): ReadonlyMap<string, string> => {
  const parts = new Map<string, string>();
  let inside = false;
  let name = '';
  for (const line of text.split('\n')) {
    if (/^\S/.test(line)) inside = line.startsWith(`${section}:`);
    if (!inside) continue;
    name = /^ {2}([\w-]+):/.exec(line)?.[1] ?? name;
    if (/^ {2}/.test(line)) parts.set(name, `${parts.get(name) ?? ''}${line}\n`);
  }
  return parts;
};

const whole = read('docker-compose.yml');
const servers = read('services/docker/compose.yaml');
const services = partsOf(whole, 'services');
const roles = {
  'gateway-1': 'gateway',
  'gateway-2': 'gateway',
  api: 'api',
  relay: 'relay',
  'projector-1': 'projector',
  'projector-2': 'projector',
};

const hasCompose = (() => {
  try {
    execFileSync('docker', ['compose', 'version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe('docker-compose.yml', () => {
  it('defines every server, Parley in separate roles, and a load balancer', () => {
    expect([...services.keys()].sort()).toEqual(
      [...Object.keys(roles), 'load-balancer', 'kurrentdb', 'postgres', 'views', 'redis', 'kafka', 'scylla'].sort(),
    );
    for (const [name, role] of Object.entries(roles)) {
      expect(services.get(name)).toContain('<<: *parley');
      expect(services.get(name)).toMatch(new RegExp(`PARLEY_ROLES: ${role} `));
    }
  });

  it('builds its image from every folder with sources', () => {
    const { include } = JSON.parse(read('tsconfig.json')) as { readonly include: readonly string[] };
    const reached = read('.dockerignore').split('\n');
    for (const folder of include.filter((name) => name !== '*.ts')) expect(reached).toContain(`!${folder}`);
  });

  it.each(['docker-compose.yml', 'services/docker/compose.yaml', 'Dockerfile'])('pins every image of %s', (file) => {
    const images = [...read(file).matchAll(/^(?:\s*image: |FROM )(\S+)/gm)].map(([, image]) => image);
    expect(images.length).toBeGreaterThan(2);
    for (const image of images) expect(image).toMatch(/:\d+\.\d+\.\d+|^postgres:\d+\.\d+/);
  });

  it('gives everything a health check, and waits for the health of what each part needs', () => {
    const inherited = whole.slice(whole.indexOf('x-parley:'), whole.indexOf('x-parley-environment:'));
    for (const [name, part] of services) {
      const all = name in roles ? inherited : name === 'views' ? part + services.get('postgres') : part;
      expect(all, name).toContain('healthcheck:');
    }
    for (const name of ['postgres', 'views', 'redis', 'kafka', 'scylla', 'kurrentdb']) {
      expect(inherited).toContain(`${name}: { condition: service_healthy }`);
    }
    for (const name of ['gateway-1', 'gateway-2', 'api']) {
      expect(services.get('load-balancer')).toContain(`${name}: { condition: service_healthy }`);
    }
  });

  it('keeps all data in named volumes', () => {
    const used = [...whole.matchAll(/volumes: \['([a-z]+):\//g)].map(([, volume]) => volume);
    expect(used.sort()).toEqual([...partsOf(whole, 'volumes').keys()].sort());
    expect(used).toHaveLength(6);
  });

  it('contains no secret: each comes from a variable that deploy/.env.example names', () => {
    for (const [, password] of whole.matchAll(/PASSWORD: (.*)|:\/\/\w*:([^@\s]+)@/g)) {
      if (password !== undefined) expect(password).toMatch(/^\$\{PARLEY_\w+:\?/);
    }
    const asked = new Set([...whole.matchAll(/\$\{(PARLEY_\w+):\?/g)].map(([, name]) => name));
    expect(asked.size).toBe(4);
    for (const name of asked) expect(read('deploy/.env.example')).toMatch(new RegExp(`^${name}=`, 'm'));
    expect(read('.gitignore').split('\n')).toContain('.env');
  });

  it('exposes only the load balancer', () => {
    const published = [...services].filter(([, part]) => part.includes('ports:')).map(([name]) => name);
    expect(published).toEqual(['load-balancer']);
    for (const name of ['kurrentdb', 'postgres', 'redis', 'kafka', 'scylla']) {
      expect(services.get(name)).toContain('networks: [backends]');
    }
    expect(partsOf(whole, 'networks').get('backends')).toContain('internal: true');
  });

  it('leaves the sizes of KurrentDB as they are, since it refuses to start with an append below one event', () => {
    expect(whole + servers).not.toContain('MAX_APPEND');
  });

  it('asks every server to be started again, also one that ends by itself without an error', () => {
    for (const name of ['kurrentdb', 'postgres', 'redis', 'kafka', 'scylla'])
      expect(services.get(name), name).toMatch(/restart: (unless-stopped|always)/);
  });

  it('sets only variables that Parley knows, because Parley refuses to start with others', () => {
    const environment = whole.slice(whole.indexOf('x-parley-environment:'), whole.indexOf('\nservices:'));
    const names = [...environment.matchAll(/^ {2}(PARLEY_\w+):/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(10);
    for (const name of [...names, 'PARLEY_ROLES']) expect(read('docs/configuration.md')).toContain(`\`${name}\``);
  });

  it.runIf(hasCompose)('means to docker compose what these specs read', () => {
    const environment = {
      ...process.env,
      PARLEY_POSTGRES_PASSWORD: 'one',
      PARLEY_VIEWS_PASSWORD: 'two',
      PARLEY_REDIS_PASSWORD: 'three',
      PARLEY_PUBLIC_URL: 'http://localhost:7480',
    };
    const text = execFileSync('docker', ['compose', 'config', '--format', 'json'], {
      cwd: checkout,
      env: environment,
      encoding: 'utf8',
    });
    const config = JSON.parse(text) as { services: Record<string, { environment: Record<string, string> }> };
    expect(Object.keys(config.services).sort()).toEqual([...services.keys()].sort());
    for (const [name, role] of Object.entries(roles)) {
      expect(config.services[name]?.environment).toMatchObject({
        PARLEY_ROLES: role,
        PARLEY_PROFILE: 'cluster',
        PARLEY_VAULT_URL: 'postgres://parley:one@postgres:5432/parley',
        PARLEY_VIEWS_URL: 'postgres://parley:two@views:5432/parley',
        PARLEY_REDIS_URL: 'redis://:three@redis:6379',
      });
    }
  });
});

describe('the load balancer', () => {
  const configuration = read('deploy/haproxy.cfg');

  it('sends sockets to the gateways and everything else to the api', () => {
    expect(configuration).toContain('acl to_gateway path /gateway /gateway/');
    expect(configuration).toMatch(/use_backend gateways if to_gateway/);
    expect(configuration).toContain('default_backend apis');
    for (const name of ['gateway-1', 'gateway-2', 'api']) {
      expect(configuration).toContain(`server ${name} ${name}:7480`);
    }
  });

  it('keeps a socket open between two heartbeats', () => {
    expect(configuration).toMatch(/timeout tunnel 1h/);
  });
});

describe('the servers for tests', () => {
  it('listen on loopback only, on the ports of endpoints.ts', () => {
    const published = [...servers.matchAll(/ports: \['(.*?):\$\{(\w+)_PORT:\?\}:\d+'\]/g)];
    expect(new Set(published.map(([, address]) => address))).toEqual(new Set(['127.0.0.1']));
    for (const [, , name = ''] of published) expect(Object.keys(ports)).toContain(name.toLowerCase());
    expect(published).toHaveLength(6);
  });

  it('have the versions that Parley is deployed with', () => {
    const imagesOf = (text: string) => [...text.matchAll(/image: ((?!parley|haproxy)\S+)/g)].map(([, image]) => image);
    expect(imagesOf(servers).sort()).toEqual(imagesOf(whole).sort());
  });
});
