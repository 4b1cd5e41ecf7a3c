import { Redis } from 'ioredis';
import { failed, type Finding, ok, reasonOf, unchecked, warning } from '../finding.ts';

const check = 'Redis';
const connectMs = 5_000;

/** Redis holds nothing that cannot be lost, but must not lose it silently: one-time codes and presence live there. */
export async function checkRedis(url: string | undefined): Promise<Finding[]> {
  if (url === undefined)
    return [unchecked(check, 'its settings are not known', '--redis-url, from where it can be reached.')];
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: connectMs,
    commandTimeout: connectMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const info = new Map(
      (await redis.info()).split('\r\n').map((line): [string, string] => {
        const [name = '', ...value] = line.split(':');
        return [name, value.join(':')];
      }),
    );
    return [eviction(info), memory(info), persistence(info)];
  } catch (error) {
    const why = reasonOf(error);
    const fix = /NOPERM|NOAUTH|WRONGPASS/.test(why)
      ? 'Give --redis-url a user who may run INFO.'
      : 'Correct --redis-url, or start it: logins and codes are refused without it.';
    return [failed(check, why, fix)];
  } finally {
    redis.disconnect();
  }
}

function eviction(info: Map<string, string>): Finding {
  const policy = info.get('maxmemory_policy');
  if (policy === 'noeviction') return ok(check, 'evicts nothing');
  const fix = 'Set maxmemory-policy noeviction, and alert on its memory.';
  return failed(check, `maxmemory-policy ${policy}: limits, codes and presence vanish when memory is short`, fix);
}

function memory(info: Map<string, string>): Finding {
  const [used, most] = [Number(info.get('used_memory')), Number(info.get('maxmemory'))];
  if (most === 0) return warning(check, 'has no maxmemory', 'Set maxmemory below the limit of its container.');
  const share = Math.round((100 * used) / most);
  if (share < 80) return ok(check, `uses ${share}% of its memory`);
  return warning(check, `uses ${share}% of its memory`, 'Give it more: beyond 100% it refuses logins and codes.');
}

function persistence(info: Map<string, string>): Finding {
  if (info.get('aof_enabled') === '1') return ok(check, 'keeps an append-only file');
  const fix = 'Set appendonly yes, or accept that a restart ends pending codes and lifts lockouts.';
  return warning(check, 'keeps nothing over a restart', fix);
}
