/** A value that changes: read it, or be told of each change. */
export type Observable<T> = {
  get(): T;
  /** Calls `listener` with each later value. @returns what ends it. */
  subscribe(listener: (value: T) => void): () => void;
};

/** An observable that its owner sets. */
export type Value<T> = Observable<T> & { set(value: T): void };

/** Tells listeners of one kind of thing. */
export type Signal<T> = {
  emit(value: T): void;
  listen(listener: (value: T) => void): () => void;
};

/** A listener that throws breaks neither the others nor who tells: its error is reported as uncaught would be. */
function tell<T>(listeners: Iterable<(value: T) => void>, value: T): void {
  for (const listener of listeners) {
    try {
      listener(value);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

export function createSignal<T>(): Signal<T> {
  const listeners = new Set<(value: T) => void>();
  return {
    emit: (value) => tell([...listeners], value),
    listen(listener) {
      // A function of its own each time: the same listener may be added twice and taken away once.
      const one = (value: T): void => listener(value);
      listeners.add(one);
      return () => void listeners.delete(one);
    },
  };
}

/** @param same whether a new value is none: then nobody is told. */
export function createValue<T>(initial: T, same: (one: T, other: T) => boolean = Object.is): Value<T> {
  let current = initial;
  const changed = createSignal<T>();
  return {
    get: () => current,
    set(value) {
      if (same(current, value)) return;
      current = value;
      changed.emit(value);
    },
    subscribe: (listener) => changed.listen(listener),
  };
}
