import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';

/**
 * The baseline: a bare Socket.IO server that relays a message to the room it names and acknowledges it. The same
 * shape of events as the platform's, no identity, no validation, no persistence. With the URL of a Redis as its argument
 * several of them share their rooms by Socket.IO's Redis adapter. Prints its port; ends with its stdin.
 */
const http = createServer();
const redisUrl = process.argv[2];
const adapter = redisUrl === undefined ? {} : { adapter: createAdapter(new Redis(redisUrl), new Redis(redisUrl)) };
const io = new Server(http, { transports: ['websocket'], perMessageDeflate: false, ...adapter });
let seq = 0;

io.on('connection', (socket) => {
  const { userId, rooms } = socket.handshake.auth as { userId: string; rooms: string[] };
  void socket.join(rooms);
  socket.on(
    'message:send',
    (input: { conversationId: string; clientMsgId: string; text: string }, acknowledge: (answer: unknown) => void) => {
      seq += 1;
      const message = { ...input, id: `${input.conversationId}:${seq}`, seq, sender: { id: userId } };
      io.to(input.conversationId).emit('message:new', { conversationId: input.conversationId, seq, message });
      acknowledge({ ok: true, message });
    },
  );
});

http.listen(0, '127.0.0.1', () => console.log((http.address() as AddressInfo).port));
process.stdin.on('end', () => process.exit(0)).resume();
