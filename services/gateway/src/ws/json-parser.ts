import { Decoder, Encoder, type Packet, PacketType, protocol } from 'socket.io-parser';

/**
 * The Socket.IO protocol for payloads that are JSON and nothing else: the stock encoder walks every payload in search of
 * binary parts before it encodes it. Decoding is the stock one.
 */
class JsonEncoder extends Encoder {
  override encode(packet: Packet): string[] {
    const { type, nsp, id, data } = packet as Packet & { data?: unknown };
    const namespace = nsp && nsp !== '/' ? `${nsp},` : '';
    const body = data === undefined || data === null ? '' : JSON.stringify(data);
    return [`${type}${namespace}${id ?? ''}${body}`];
  }
}

export const jsonParser = { protocol, Encoder: JsonEncoder, Decoder, PacketType };
