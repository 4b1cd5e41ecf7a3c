import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster } from '../../src/cluster/cluster.ts';
import { figure, missed, percentile } from '../../src/cluster/figures.ts';
import { runCommand } from '../../src/cluster/run-command.ts';

describe('figures of a cluster run', () => {
  it('given sorted values, when a percentile is taken, then it is the value that so many do not exceed', () => {
    const values = Array.from({ length: 200 }, (_, index) => index + 1);
    expect([percentile(values, 50), percentile(values, 99), percentile(values, 100)]).toEqual([100, 198, 200]);
    expect(percentile([], 99)).toBe(0);
  });

  it('given figures, when some are above their goal or were never taken, then those are named', () => {
    const figures = { ok: figure(0, 0), slow: figure(1_200, 1_000), unknown: figure(Number.POSITIVE_INFINITY, 0) };
    expect(missed(figures)).toEqual(['slow', 'unknown']);
  });
});

/** Answers as kubectl would, from the arguments that it is given. */
const kubectl = `#!/bin/sh
case "$*" in
  *api-resources*) printf 'configmaps\\nsecrets\\npersistentvolumeclaims\\n' ;;
  *'get configmaps,secrets'*)
    printf 'configmap/kube-root-ca.crt\\nserviceaccount/default\\nevent/x.1\\nevent.events.k8s.io/x.1\\n'
    printf 'persistentvolumeclaim/data-0\\nsecret/kept\\n' ;;
  *'get service'*) printf '{"spec":{"ports":[{"nodePort":30080}]},"status":{"loadBalancer":{}}}' ;;
  *'get nodes'*) printf '{"items":[{"status":{"addresses":[{"type":"InternalIP","address":"10.0.0.2"}]}}]}' ;;
  *) echo 'first line' >&2; echo 'Error: no such thing' >&2; exit 1 ;;
esac
`;

describe('a release in a cluster', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bluewave-kubectl-'));
  const program = join(folder, 'kubectl');
  const cluster = new Cluster({ helm: program, kubectl: program, namespace: 'n', release: 'r' });

  beforeAll(() => {
    writeFileSync(program, kubectl);
    chmodSync(program, 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('given what is in a namespace, when the release is gone, then claims and other leftovers are told apart', async () => {
    const left = await cluster.leftovers();
    expect(left).toEqual({ claims: ['persistentvolumeclaim/data-0'], others: ['secret/kept'] });
  });

  it('given a NodePort service, when its door is looked for, then it is the port on a node', async () => {
    expect(await cluster.doorUrl()).toBe('http://10.0.0.2:30080');
  });

  it('given a program that fails or hangs, when it is run, then the error is one line that says so', async () => {
    await expect(cluster.kubectl(['delete', 'x'])).rejects.toThrow(
      'kubectl --namespace n delete failed: first line | Error: no such thing',
    );
    await expect(runCommand('sleep', ['5'], { timeoutMs: 100 })).rejects.toThrow('sleep 5 did not end within 0.1 s');
  });
});
