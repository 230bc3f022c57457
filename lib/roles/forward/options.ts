import { createHash } from 'node:crypto';
import type { QueueOptions, Source } from '../../queue/types';
import type { ForwardSettings } from './fields';

const MB = 1024 * 1024;

/** The queue of a node. Ids come from flow files: only harmless ones become names as they are. */
export function queueName(id: string): string {
  return `node/${/^[\w-]{1,64}$/.test(id) ? id : createHash('sha256').update(id).digest('hex')}`;
}

export function queueOptions(settings: ForwardSettings, owner: Source): QueueOptions {
  return {
    owner,
    // Messages without an order key form a line of their own.
    ordered: settings.keepOrder !== 'none',
    maxRecords: settings.storeRecords,
    maxBytes: settings.storeBytes * MB,
    maxAgeMs: settings.storeAge,
    whenFull: settings.storeFull,
    whenOld: settings.storeOld,
    // The node itself judges, because an outage is nobody's fault.
    maxDeliveries: 0,
    duplicateWindowMs: 0,
  };
}
