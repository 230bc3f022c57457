/** A small durable JSON document of one node: `save` resolves once it is on disk. */
export interface StateStore {
  /** Undefined when nothing was saved yet. */
  load(): Promise<unknown>;
  save(value: unknown): Promise<void>;
}
