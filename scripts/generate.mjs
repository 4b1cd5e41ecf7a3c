// Generates what is derived from sources and not committed: the types of the protos. Skips when nothing changed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const protos = readdirSync(join(root, 'proto'), { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('.proto'))
  .sort();
const hash = createHash('sha256').update(readFileSync(fileURLToPath(import.meta.url)));
for (const file of protos) hash.update(file).update(readFileSync(join(root, 'proto', file)));
const digest = hash.digest('hex');

const output = join(root, 'packages/protos/src/generated');
const stamp = join(output, '.digest');
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== digest) {
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  const bin = join(root, 'node_modules/@grpc/proto-loader/build/bin/proto-loader-gen-types.js');
  const flags = ['--longs=Number', '--enums=String', '--defaults', '--arrays', '--oneofs', '--includeComments'];
  const shape = ['--inputTemplate=%sInput', '--outputTemplate=%s', '--importFileExtension=.ts'];
  const where = ['--grpcLib=@grpc/grpc-js', '-I', join(root, 'proto'), '-O', output];
  const run = spawnSync(process.execPath, [bin, ...flags, ...shape, ...where, ...protos], { cwd: join(root, 'proto') });
  if (run.status !== 0) {
    process.stderr.write(run.stdout);
    process.stderr.write(run.stderr);
    process.exit(1);
  }
  writeFileSync(stamp, digest);
}
