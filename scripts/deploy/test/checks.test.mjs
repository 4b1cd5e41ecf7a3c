// The checks catch what they are there for: each case breaks a good rendering on purpose.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { metricsIn } from '../alert-rules.mjs';
import { parseObjects, renderObjects } from '../chart.mjs';
import { arrowFindings } from '../network-arrows.mjs';
import { doorFindings, objectFindings } from '../object-rules.mjs';
import { createObjectValidator } from '../strict-schema.mjs';
import { findKubernetesTools } from '../tools.mjs';

let good;
before(async () => {
  const { helm } = await findKubernetesTools();
  good = await renderObjects(helm, {});
});

const broken = (change) => {
  const objects = structuredClone(good);
  change((kind, name) => objects.find((object) => object.kind === kind && object.metadata.name === name), objects);
  return objects;
};
const rules = (objects) => [
  ...objectFindings(objects, { secrets: ['tls'], writableRoot: false }),
  ...doorFindings(objects),
];

describe('strict schemas', () => {
  const validate = createObjectValidator();

  it('given the default rendering, then nothing is found', () => {
    assert.deepEqual(good.flatMap(validate), []);
  });

  it('given a key that Kubernetes does not know, then it is found with its path', () => {
    const objects = broken(
      (find) => (find('Deployment', 'bluewave-chat').spec.template.spec.containers[0].imagePullPolcy = 'Never'),
    );
    assert.deepEqual(objects.flatMap(validate), [
      'Deployment/bluewave-chat /spec/template/spec/containers/0: unknown key imagePullPolcy',
    ]);
  });

  it('given a value of the wrong type, then it is found', () => {
    const objects = broken((find) => (find('Deployment', 'bluewave-chat').spec.replicas = '2'));
    assert.deepEqual(objects.flatMap(validate), ['Deployment/bluewave-chat /spec/replicas: must be integer']);
  });

  it('given a kind without a schema, then it is found', () => {
    assert.deepEqual(validate({ apiVersion: 'v1', kind: 'Pond', metadata: { name: 'x' } }), [
      'Pond/x: v1/Pond has no schema in scripts/deploy/schemas',
    ]);
  });
});

describe('object rules', () => {
  it('given the default rendering, then nothing is found', () => {
    assert.deepEqual(rules(good), []);
  });

  it('given a container that may write to its root, then it is found', () => {
    const objects = broken((find) => {
      find('Deployment', 'bluewave-push').spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem =
        false;
    });
    assert.deepEqual(rules(objects), ['Deployment/bluewave-push: container push needs a read-only root']);
  });

  it('given a Secret that is not rendered, then its user is found', () => {
    const objects = broken((find, all) => all.splice(all.indexOf(find('Secret', 'bluewave-auth-token-keys')), 1));
    assert.deepEqual(rules(objects), ['Deployment/bluewave-auth: there is no Secret/bluewave-auth-token-keys']);
  });

  it('given a key that a Secret lacks, then it is found', () => {
    const objects = broken((find) => delete find('Secret', 'bluewave-engines').stringData['s3-access-key-id']);
    assert.deepEqual(rules(objects), [
      'Deployment/bluewave-media: Secret/bluewave-engines has no key s3-access-key-id',
      'StatefulSet/bluewave-s3: Secret/bluewave-engines has no key s3-access-key-id',
    ]);
  });

  it('given a grace period shorter than the drain, then it is found', () => {
    const objects = broken(
      (find) => (find('Deployment', 'bluewave-gateway').spec.template.spec.terminationGracePeriodSeconds = 30),
    );
    assert.deepEqual(rules(objects), [
      'Deployment/bluewave-gateway: 30 s of grace are too few for preStop 5 s and 30 s of draining',
    ]);
  });

  it('given a Service that finds no pods and another door, then both are found', () => {
    const objects = broken((find) => {
      find('Service', 'bluewave-auth').spec.selector['app.kubernetes.io/component'] = 'oauth';
      find('Service', 'bluewave-gateway').spec.ports[0].port = 8080;
    });
    assert.deepEqual(rules(objects), [
      'Service/bluewave-auth: selects 0 kinds of pods, not 1',
      'Service/bluewave-gateway: has to be port 80',
    ]);
  });
});

describe('network arrows', () => {
  const peer = (component) => ({ podSelector: { matchLabels: { 'app.kubernetes.io/component': component } } });

  it('given the default rendering, then the policies are the arrows', () => {
    assert.deepEqual(arrowFindings(good, { bundled: true }), []);
  });

  it('given a way from chat to push, then it is found', () => {
    const objects = broken((find) => find('NetworkPolicy', 'bluewave-chat').spec.egress.push({ to: [peer('push')] }));
    assert.deepEqual(arrowFindings(objects, { bundled: true }), ['network policies: chat -> push is no arrow']);
  });

  it('given a receiver that refuses its caller, then it is found', () => {
    const objects = broken((find) => find('NetworkPolicy', 'bluewave-media').spec.ingress.shift());
    assert.deepEqual(arrowFindings(objects, { bundled: true }), [
      'network policies: the receiver refuses gateway -> media',
    ]);
  });

  it('given an ingress from everywhere, then it is found', () => {
    const objects = broken((find) =>
      find('NetworkPolicy', 'bluewave-auth').spec.ingress.push({ ports: [{ port: 'grpc' }] }),
    );
    assert.deepEqual(arrowFindings(objects, { bundled: true }), [
      'NetworkPolicy/bluewave-auth: ingress from everywhere',
    ]);
  });
});

describe('metricsIn', () => {
  it('given an expression, then it names the metrics and neither labels nor functions', () => {
    const expression =
      'sum by (service) (rate(a_total{job="x_y"}[5m])) / on (pod) group_left () b_seconds_bucket > 0.5 and up == 1';
    assert.deepEqual(metricsIn(expression), ['a_total', 'b_seconds_bucket', 'up']);
  });
});

describe('parseObjects', () => {
  it('given a key twice, then it is refused with one line', () => {
    assert.throws(() => parseObjects('a: 1\na: 2\n', 'x.yaml'), /^CheckError: x\.yaml: Map keys must be unique/);
  });
});
