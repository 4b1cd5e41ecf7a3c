// `npm run e2e:cluster`: builds what is missing, finds helm and kubectl, and runs the end-to-end proof on the cluster of
// the current kube context. Arguments: see e2e/src/cluster/main.ts.
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { CheckError, findKubernetesTools } from './deploy/tools.mjs';
import { prepare } from './prepare.mjs';

const main = path.join(fileURLToPath(new URL('..', import.meta.url)), 'e2e', 'dist', 'cluster', 'main.js');

try {
  await prepare(['e2e']);
  const { helm, kubectl } = await findKubernetesTools();
  Object.assign(process.env, { HELM: helm, KUBECTL: kubectl });
} catch (error) {
  if (!(error instanceof CheckError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
process.argv.splice(1, 1, main);
await import(pathToFileURL(main).href);
