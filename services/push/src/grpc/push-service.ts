import type { PushServiceDefinition } from '@bluewave/protos/generated/bluewave/push/v1/PushService';
import type { ServedService } from '@bluewave/rpc/server';
import { type Handlers, loadService } from '@bluewave/rpc/service-definition';
import type { DeliverParts } from '../notifications/deliver.ts';
import { sendTest } from '../notifications/send-test.ts';
import { deleteTokens } from '../tokens/delete-tokens.ts';
import { checkedId, checkedProvider, checkedToken } from '../tokens/device-token.ts';
import { putToken } from '../tokens/put-token.ts';

/** Kept back from a caller's deadline, so that the answer still arrives. */
const marginMs = 150;

/** The gRPC face of the push service. @param sending undefined when no provider is configured. */
export function pushService(
  parts: Pick<DeliverParts, 'tokens' | 'deliveries'>,
  sending: DeliverParts | undefined,
): ServedService {
  const { tokens, deliveries } = parts;
  const unary: Handlers<PushServiceDefinition> = {
    PutToken: async (request, context) => {
      const device = {
        userId: checkedId(request.actorId, 'actorId'),
        deviceId: checkedId(request.deviceId, 'deviceId'),
      };
      const provider = checkedProvider(request.provider);
      const token = checkedToken(request.token);
      await putToken(tokens, deliveries, { device, provider, token, deadline: context.deadline - marginMs });
      return {};
    },

    DeleteTokens: async (request, context) => {
      const userId = checkedId(request.actorId, 'actorId');
      const deviceIds = request.deviceIds.map((deviceId) => checkedId(deviceId, 'deviceIds'));
      await deleteTokens(tokens, deliveries, { userId, deviceIds, deadline: context.deadline - marginMs });
      return {};
    },

    ListTokens: async (request) => {
      const bound = await tokens.ofUsers([checkedId(request.actorId, 'actorId')]);
      return { tokens: bound.map(({ deviceId, provider }) => ({ deviceId, provider })) };
    },

    SendTest: async (request, context) => {
      const userId = checkedId(request.actorId, 'actorId');
      if (!sending) return { accepted: 0 };
      const deadline = context.deadline - marginMs;
      return { accepted: await sendTest(sending, { userId, deadline, traceId: context.traceId }) };
    },
  };
  return { definition: loadService<PushServiceDefinition>('push', 'PushService'), unary };
}
