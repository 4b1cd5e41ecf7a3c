import type { EventHandlers } from '../event-router.ts';
import type { HandlerDeps } from './handler-deps.ts';

type MessageEvent =
  'message:send' | 'message:edit' | 'message:delete' | 'message:react' | 'message:read' | 'message:delivered';

export function messageEvents({ operations }: HandlerDeps): Pick<EventHandlers, MessageEvent> {
  return {
    'message:send': async (socket, input, context) => {
      const { message, duplicate, room } = await operations.sendMessage(socket.data.identity, input, context);
      const remaining = room ? { remaining: room.remaining } : {};
      return { message, ...(duplicate ? { duplicate } : {}), ...remaining };
    },
    'message:edit': async (socket, input, context) => ({
      message: await operations.editMessage(socket.data.identity, input, context),
    }),
    'message:delete': async (socket, input, context) => {
      await operations.deleteMessage(socket.data.identity, input, context);
      return {};
    },
    'message:react': async (socket, input, context) => {
      await operations.react(socket.data.identity, input, context);
      return {};
    },
    'message:read': (socket, input, context) => operations.markRead(socket.data.identity, input, context),
    'message:delivered': (socket, input, context) => operations.markDelivered(socket.data.identity, input, context),
  };
}
