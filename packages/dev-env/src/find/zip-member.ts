import { open, type FileHandle } from 'node:fs/promises';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const STORED = 0;

type Member = { name: string; method: number; compressedSize: number; headerOffset: number };

const readAt = async (file: FileHandle, position: number, length: number): Promise<Buffer> => {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
};

/** The central directory of a zip (not zip64: nothing here is over 4 GB). */
const members = async (file: FileHandle): Promise<Member[]> => {
  const { size } = await file.stat();
  const tail = await readAt(file, Math.max(0, size - 65_557), Math.min(size, 65_557));
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || tail.readUInt32LE(end) !== END) throw new Error('not a zip file');
  const directory = await readAt(file, tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
  const found: Member[] = [];
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === CENTRAL;) {
    const nameLength = directory.readUInt16LE(at + 28);
    found.push({
      name: directory.toString('utf8', at + 46, at + 46 + nameLength),
      method: directory.readUInt16LE(at + 10),
      compressedSize: directory.readUInt32LE(at + 20),
      headerOffset: directory.readUInt32LE(at + 42),
    });
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return found;
};

/** Unpacks the member of a zip whose name ends with `suffix` into `target`, executable. Node has no unzip of its own. */
export const extractZipMember = async (zip: string, suffix: string, target: string): Promise<void> => {
  const file = await open(zip);
  let start: number;
  let member: Member | undefined;
  try {
    member = (await members(file)).find((one) => one.name.endsWith(suffix));
    if (member === undefined) throw new Error(`${zip} holds no ${suffix}`);
    const header = await readAt(file, member.headerOffset, 30);
    start = member.headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  } finally {
    await file.close();
  }
  const source = createReadStream(zip, { start, end: start + member.compressedSize - 1 });
  const sink = createWriteStream(target, { mode: 0o755 });
  await (member.method === STORED ? pipeline(source, sink) : pipeline(source, createInflateRaw(), sink));
};
