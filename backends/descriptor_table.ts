/** With a larger gap between two descriptors, the higher one is kept elsewhere. */
const GAP = 16_384;

/**
 * Values by descriptor, in an array, since descriptors are low numbers. It has no holes: reading
 * one would look its index up in a polluted `Object.prototype`.
 */
export class DescriptorTable<T> {
  readonly #near: (T | undefined)[] = [];
  /** The values of descriptors that are too far from all others. */
  readonly #far = new Map<number, T>();

  /** Returns the value of a descriptor. */
  get(fd: number): T | undefined {
    if (fd < this.#near.length) return this.#near[fd];
    return this.#far.size === 0 ? undefined : this.#far.get(fd);
  }

  /** Sets the value of a descriptor. */
  set(fd: number, value: T): void {
    if (fd < this.#near.length) this.#near[fd] = value;
    else this.#setHigher(fd, value);
  }

  #setHigher(fd: number, value: T): void {
    const near = this.#near;
    if (fd - near.length >= GAP) {
      this.#far.set(fd, value);
      return;
    }
    while (near.length <= fd) {
      near.push(this.#far.get(near.length));
      this.#far.delete(near.length - 1);
    }
    near[fd] = value;
  }

  /** Removes the value of a descriptor. */
  delete(fd: number): void {
    if (fd < this.#near.length) this.#near[fd] = undefined;
    else this.#far.delete(fd);
  }

  /** Removes all values. */
  clear(): void {
    this.#near.length = 0;
    this.#far.clear();
  }

  /** Lists the values. */
  values(): T[] {
    return [...this.#near.filter((value) => value !== undefined), ...this.#far.values()];
  }
}
