import { fileURLToPath } from 'node:url';

/** The folder that holds `bluewave/<service>/v1/*.proto`: at the root of the repository, and so of the image. */
export const protoDirectory = fileURLToPath(new URL('../../../proto/', import.meta.url));

/**
 * How protobuf values look in TypeScript, for gRPC and for events alike: camelCase, 64-bit integers as numbers
 * (milliseconds and seqs stay below 2^53), absent scalars as defaults, absent messages as null.
 */
export const conversionOptions = {
  keepCase: false,
  longs: Number,
  enums: String,
  bytes: Buffer,
  defaults: true,
  arrays: true,
  objects: true,
  oneofs: true,
} as const;
