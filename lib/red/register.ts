/**
 * What every generated node file calls. Kept tiny: registering a type loads neither its declaration nor the
 * roles, so an unused node costs nothing, and a type always registers (a missing one stops every flow).
 */
import type { AnyDeclaration } from '../roles/declare';
import type { Red, RedNode } from './types';

export interface Stub {
  readonly type: string;
  readonly credentials: Readonly<Record<string, { readonly type: 'text' | 'password' }>>;
  readonly load: () => AnyDeclaration;
}

export function register(RED: Red, stub: Stub): void {
  function construct(this: RedNode, config: Record<string, unknown>): void {
    RED.nodes.createNode(this, config);
    lazyBind()(RED, this, config, stub);
  }
  RED.nodes.registerType(stub.type, construct, { credentials: stub.credentials });
}

/** Loaded with the first node of any type. */
function lazyBind(): typeof import('./bind').bind {
  return (require('./bind') as typeof import('./bind')).bind;
}
