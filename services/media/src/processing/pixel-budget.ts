/**
 * Lets work go on while its pixels fit into memory: whoever comes waits, in order, until enough is given back. Work
 * larger than the whole budget goes alone.
 */
export class PixelBudget {
  readonly #total: number;
  #free: number;
  readonly #waiting: { pixels: number; start(): void }[] = [];

  /** @param total pixels that may be held at once. */
  constructor(total: number) {
    this.#total = total;
    this.#free = total;
  }

  /** Runs `work` when `pixels` are free, and gives them back however it ends. */
  async hold<T>(pixels: number, work: () => Promise<T>): Promise<T> {
    const held = Math.min(pixels, this.#total);
    await new Promise<void>((resolve) => {
      this.#waiting.push({ pixels: held, start: resolve });
      this.#next();
    });
    try {
      return await work();
    } finally {
      this.#free += held;
      this.#next();
    }
  }

  #next(): void {
    for (let first = this.#waiting[0]; first && first.pixels <= this.#free; first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= first.pixels;
      first.start();
    }
  }
}
