// The difference between two JSON values as RFC 6902 operations, for kustomize patches.

const isMap = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const pointer = (key) => String(key).replaceAll('~', '~0').replaceAll('/', '~1');

/** Whether two JSON values are the same, whatever the order of their keys. */
export function same(a, b) {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => same(item, b[index]));
  if (!isMap(a) || !isMap(b)) return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && same(a[key], b[key]));
}

/**
 * Operations that turn `from` into `to`. Arrays of the same length are compared item by item, others are replaced.
 * @returns [{op, path, value?}]
 */
export function difference(from, to, path = '') {
  if (same(from, to)) return [];
  if (isMap(from) && isMap(to)) {
    const removed = Object.keys(from).filter((key) => !(key in to));
    return [
      ...removed.map((key) => ({ op: 'remove', path: `${path}/${pointer(key)}` })),
      ...Object.keys(to).flatMap((key) => {
        const at = `${path}/${pointer(key)}`;
        return key in from ? difference(from[key], to[key], at) : [{ op: 'add', path: at, value: to[key] }];
      }),
    ];
  }
  if (Array.isArray(from) && Array.isArray(to) && from.length === to.length) {
    return to.flatMap((item, index) => difference(from[index], item, `${path}/${index}`));
  }
  return [{ op: 'replace', path, value: to }];
}
