/** A key memory of the file store as its user sees it. */
import type { KeyMemory, KeyMemoryOptions } from '../types';
import type { Courier } from './courier';
import { badEntry } from './failures';

const LONGEST_KEY = 1000;

export class FileKeys implements KeyMemory {
  readonly name: string;
  readonly options: KeyMemoryOptions;
  readonly #courier: Courier;
  #space = -1;

  constructor(courier: Courier, name: string, options: KeyMemoryOptions) {
    this.#courier = courier;
    this.name = name;
    this.options = options;
  }

  async open(): Promise<void> {
    this.#space = await this.#courier.ask('keysOpen', { name: this.name, options: this.options });
  }

  async claim(key: string): Promise<boolean> {
    return this.#courier.ask('keysClaim', { space: this.#space, key: checked(key) });
  }

  async forget(key: string): Promise<void> {
    await this.#courier.ask('keysForget', { space: this.#space, key: checked(key) });
  }

  async clear(): Promise<void> {
    await this.#courier.ask('keysClear', { space: this.#space });
  }

  async size(): Promise<number> {
    return this.#courier.ask('keysSize', { space: this.#space });
  }
}

function checked(key: string): string {
  if (typeof key === 'string' && key.length >= 1 && key.length <= LONGEST_KEY) return key;
  throw badEntry(`A key to remember must be a text of 1 to ${LONGEST_KEY} characters.`);
}
