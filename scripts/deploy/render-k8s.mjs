// Writes k8s/ from the chart.   node scripts/deploy/render-k8s.mjs
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './chart.mjs';
import { renderKustomization } from './kustomization.mjs';
import { findKubernetesTools } from './tools.mjs';

const { helm } = await findKubernetesTools();
const { files } = await renderKustomization(helm);
for (const folder of ['base', 'overlays']) rmSync(join(root, 'k8s', folder), { recursive: true, force: true });
for (const [path, text] of Object.entries(files)) {
  const file = join(root, 'k8s', path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
process.stdout.write(`k8s: ${Object.keys(files).length} files written\n`);
