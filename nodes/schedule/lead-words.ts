/** How a node on several gateways shows and records what part it has. */
import type { LeadState } from './lead';
import type { LeadReason } from './ledger';

/** `next` is what the node shows when it runs. */
export function leadText(
  state: LeadState,
  next: string,
): { readonly text: string; readonly level: 'good' | 'warn' } {
  switch (state) {
    case 'asking':
      return { text: 'asking the other gateways', level: 'good' };
    case 'leader':
      return { text: `leader, ${next}`, level: 'good' };
    case 'standby':
      return { text: 'standby', level: 'good' };
    case 'unreachable':
      return { text: 'cannot ask the other gateways, nothing runs', level: 'warn' };
    case 'alone':
      return { text: `runs alone, ${next}`, level: 'warn' };
  }
}

export function leadReason(state: Exclude<LeadState, 'asking'>): LeadReason {
  switch (state) {
    case 'leader':
      return 'lease';
    case 'standby':
      return 'elsewhere';
    case 'unreachable':
    case 'alone':
      return state;
  }
}
