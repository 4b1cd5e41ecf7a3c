import { readUuid } from '@bluewave/mongo/uuid';
import mongoose from 'mongoose';
import type { Upload } from '../../uploads/upload.ts';
import type { UploadDocument } from './upload-model.ts';

export const toUuid = (text: string) => new mongoose.Types.UUID(text);

export function toDocument(upload: Upload): UploadDocument {
  const { id, ownerId, createdAt, expiresAt, confirmedAt, leaseUntil, dueAt, ...same } = upload;
  return {
    ...same,
    _id: toUuid(id),
    ownerId: toUuid(ownerId),
    createdAt: new Date(createdAt),
    expiresAt: new Date(expiresAt),
    confirmedAt: new Date(confirmedAt),
    leaseUntil: new Date(leaseUntil),
    dueAt: dueAt === null ? null : new Date(dueAt),
  };
}

export function fromDocument(document: UploadDocument): Upload {
  const { _id, ownerId, createdAt, expiresAt, confirmedAt, leaseUntil, dueAt, ...same } = document;
  return {
    ...same,
    id: readUuid(_id),
    ownerId: readUuid(ownerId),
    createdAt: createdAt.getTime(),
    expiresAt: expiresAt.getTime(),
    confirmedAt: confirmedAt.getTime(),
    leaseUntil: leaseUntil.getTime(),
    dueAt: dueAt === null ? null : dueAt.getTime(),
  };
}
