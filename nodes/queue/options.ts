import type { QueueOptions, Source } from '../../lib/queue';
import type { ValuesOf } from '../../lib/spec';
import type { fields } from './connection-fields';

type Config = ValuesOf<typeof fields>;

/** The settings of a connection as options of its queue. */
export function optionsFor(config: Config, owner: Source): QueueOptions {
  return {
    owner,
    ordered: config.ordered,
    maxRecords: config.maxRecords,
    maxBytes: config.maxMegabytes * 1024 * 1024,
    maxAgeMs: config.maxAge,
    whenFull: config.whenFull,
    whenOld: config.whenOld,
    maxDeliveries: config.maxDeliveries,
    duplicateWindowMs: config.duplicateWindow,
  };
}
