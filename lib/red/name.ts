import type { RedNode } from './types';

/** How people call the node: its name, or its type and the start of its id. */
export function logicalName(node: RedNode): string {
  return node.name !== undefined && node.name !== ''
    ? node.name
    : `${node.type.replace(/^holdfast-/, '')} ${node.id.slice(0, 6)}`;
}
