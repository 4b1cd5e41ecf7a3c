import { mediaUpdated, userEvent } from '@bluewave/events/codec';
import type { EventBus } from '@bluewave/events/event-bus';
import { subjects } from '@bluewave/events/subjects';
import type { Announcer } from '../uploads/outbound.ts';
import { toUploadMessage } from '../uploads/upload-message.ts';

/** Tells chat, which forwards it to the conversations that show the upload, and the owner's own devices. */
export function createNatsAnnouncer(bus: EventBus): Announcer {
  return {
    announce(upload) {
      const message = toUploadMessage(upload);
      const toChat = bus.publish(subjects.mediaUpdated, mediaUpdated.encode({ upload: message }));
      const toOwner = userEvent.encode({ userId: upload.ownerId, mediaUpdated: message });
      return bus.publish(subjects.user(upload.ownerId), toOwner) && toChat;
    },
  };
}
