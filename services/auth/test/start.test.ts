import { createServer } from 'node:net';
import { ConfigError } from '@bluewave/runtime/config';
import { describe, expect, it } from '@jest/globals';
import { Client, credentials } from '@grpc/grpc-js';
import { healthService } from '@bluewave/rpc/health';
import { startAuth } from '../src/server.ts';
import {
  context,
  dropDatabase,
  refusal,
  registration,
  silent,
  startFixture,
  testConfig,
} from './support/auth-fixture.ts';

const failure = (start: Promise<{ close(): Promise<void> }>): Promise<Error> =>
  start.then(
    async (running) => {
      await running.close();
      throw new Error('it started');
    },
    (error: Error) => error,
  );

describe('startAuth', () => {
  it('given the engines, when it starts, then it answers health, readiness and metrics, and stops cleanly', async () => {
    const fixture = await startFixture();
    const admin = (path: string) => fetch(`http://127.0.0.1:${fixture.auth.adminPort}${path}`);
    expect([(await admin('/healthz')).status, (await admin('/readyz')).status]).toEqual([200, 200]);
    await fixture.call.Register(registration(), context());
    await refusal(fixture.call.GetMe({ actorId: 'x' }, context()));
    const metrics = await (await admin('/metrics')).text();
    expect(metrics).toMatch(/bluewave_auth_call_seconds_count\{service="auth",method="Register",outcome="ok"\} 1/);
    expect(metrics).toMatch(
      /bluewave_auth_call_seconds_count\{service="auth",method="GetMe",outcome="VALIDATION_FAILED"\} 1/,
    );
    expect(metrics).toMatch(/bluewave_auth_passwords_queued\{service="auth"\} 0/);
    expect(await health(fixture.auth.grpcPort)).toBe('SERVING');
    await fixture.close();
    await expect(admin('/healthz')).rejects.toThrow('fetch failed');
    await expect(health(fixture.auth.grpcPort)).rejects.toThrow('UNAVAILABLE');
    await fixture.auth.close();
  });

  it('given a database that is not there, when it starts, then one sentence says so within two seconds', async () => {
    const begin = Date.now();
    const error = await failure(
      startAuth(testConfig({ MONGODB_URL: 'mongodb://127.0.0.1:1/?replicaSet=rs0' }), silent),
    );
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(/^MongoDB does not answer at MONGODB_URL: [^\n]*$/);
    expect(Date.now() - begin).toBeLessThan(2_000);
  });

  it('given a key that is none, when it starts, then it fails and lets go of what it had opened', async () => {
    const config = testConfig({ TOKEN_KEYS: 'no key' });
    const error = await failure(startAuth(config, silent));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toBe('TOKEN_KEYS holds no unencrypted private key in PEM format.');
    await dropDatabase(config.mongodbDatabase);
  });

  it('given a port in use, when it starts, then one sentence names the port', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    for (const name of ['GRPC_PORT', 'ADMIN_PORT']) {
      const config = testConfig({ [name]: String(port) });
      const error = await failure(startAuth(config, silent));
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toMatch(new RegExp(`^${name} ${port} .*cannot be opened: `));
      await dropDatabase(config.mongodbDatabase);
    }
    await new Promise((resolve) => other.close(resolve));
  });
});

function health(port: number): Promise<string> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const check = healthService()['Check'];
  if (!check) throw new Error('health has no Check');
  return new Promise<string>((resolve, reject) => {
    client.makeUnaryRequest(
      check.path,
      check.requestSerialize,
      check.responseDeserialize,
      {},
      { deadline: Date.now() + 2_000 },
      (error, reply?: { status: string }) => (error ? reject(error) : resolve(reply?.status ?? '')),
    );
  }).finally(() => client.close());
}
