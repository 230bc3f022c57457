import type { Failure, Message } from '../core';
import { publicFailure } from '../roles/outcome';
import type { Host, Runtime } from '../roles/runtime';
import type { StatusLevel } from '../roles/status';
import { evaluateTyped } from './evaluate';
import { logicalName } from './name';
import type { Red, RedNode } from './types';

const LOOKS: Readonly<Record<StatusLevel, { fill: string; shape: string }>> = {
  off: { fill: 'grey', shape: 'ring' },
  idle: { fill: 'grey', shape: 'dot' },
  good: { fill: 'green', shape: 'dot' },
  busy: { fill: 'yellow', shape: 'ring' },
  warn: { fill: 'yellow', shape: 'dot' },
  bad: { fill: 'red', shape: 'ring' },
};

/** A node as the roles see it. Everything that leaves through it is free of known secrets. */
export function nodeHost(RED: Red, node: RedNode, runtime: Runtime): Host {
  const clean = (text: string): string => runtime.redactor.redact(text);
  return {
    id: node.id,
    name: logicalName(node),
    type: node.type,
    source: {
      node: node.id,
      name: logicalName(node),
      type: node.type,
      flow: node._flow?.flow?.label ?? '',
    },
    log: {
      error: (text) => node.error(clean(text)),
      warn: (text) => node.warn(clean(text)),
      info: (text) => node.log(clean(text)),
      debug: (text) => node.debug(clean(text)),
    },
    show: ({ level, text }) => node.status({ ...LOOKS[level], text: clean(text) }),
    send: (msg, output) => {
      if (output === 0) node.send(msg);
      else node.send([...new Array<null>(output).fill(null), msg]);
    },
    fail: (failure: Failure, logged = false) => {
      const shown = publicFailure(failure, runtime.redactor);
      const msg: Message = { failure: shown.toRecord() };
      if (logged) node._flow?.handleError?.(node, shown, msg);
      else node.error(shown, msg);
    },
    evaluate: (typed, msg) => evaluateTyped(RED, node, typed, msg),
  };
}
