import type { BlockChanged } from '@bluewave/protos/generated/bluewave/events/v1/BlockChanged';
import type { ConversationSignal } from '@bluewave/protos/generated/bluewave/events/v1/ConversationSignal';
import type { EntriesCommitted } from '@bluewave/protos/generated/bluewave/events/v1/EntriesCommitted';
import type { EntryCommitted } from '@bluewave/protos/generated/bluewave/events/v1/EntryCommitted';
import type { HeadsMoved } from '@bluewave/protos/generated/bluewave/events/v1/HeadsMoved';
import type { MediaUpdated } from '@bluewave/protos/generated/bluewave/events/v1/MediaUpdated';
import type { MessageReported } from '@bluewave/protos/generated/bluewave/events/v1/MessageReported';
import type { ProcessUpload } from '@bluewave/protos/generated/bluewave/events/v1/ProcessUpload';
import type { UserEvent } from '@bluewave/protos/generated/bluewave/events/v1/UserEvent';
import type { UserUpdated } from '@bluewave/protos/generated/bluewave/events/v1/UserUpdated';
import { conversionOptions, protoDirectory } from '@bluewave/protos/proto-files';
import { join } from 'node:path';
import protobuf from 'protobufjs';

/** A message type on the wire: protobuf bytes, the same conversions as gRPC. */
export type Codec<T> = {
  encode(value: T): Uint8Array;
  /** @throws when the bytes are not this message. */
  decode(bytes: Uint8Array): T;
};

const root = new protobuf.Root();
root.resolvePath = (_origin, target) => join(protoDirectory, target);
root.loadSync('bluewave/events/v1/events.proto');

function codecOf<T extends object>(name: string): Codec<T> {
  const type = root.lookupType(`bluewave.events.v1.${name}`);
  return {
    encode: (value) => type.encode(type.fromObject(value)).finish(),
    decode: (bytes) => type.toObject(type.decode(bytes), conversionOptions) as T,
  };
}

export const entryCommitted = codecOf<EntryCommitted>('EntryCommitted');
export const entriesCommitted = codecOf<EntriesCommitted>('EntriesCommitted');
export const conversationSignal = codecOf<ConversationSignal>('ConversationSignal');
export const userEvent = codecOf<UserEvent>('UserEvent');
export const userUpdated = codecOf<UserUpdated>('UserUpdated');
export const mediaUpdated = codecOf<MediaUpdated>('MediaUpdated');
export const headsMoved = codecOf<HeadsMoved>('HeadsMoved');
export const processUpload = codecOf<ProcessUpload>('ProcessUpload');
export const blockChanged = codecOf<BlockChanged>('BlockChanged');
export const messageReported = codecOf<MessageReported>('MessageReported');

/** Field 1 of EntriesCommitted, with a length before its bytes. */
const entriesTag = 0x0a;

/** An EntriesCommitted of entries that are encoded already, each as an EntryCommitted. */
export function joinEntries(entries: readonly Uint8Array[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const entry of entries) writer.uint32(entriesTag).bytes(entry);
  return writer.finish();
}
