import type { CallContext } from '../../../lib/roles';
import type { Session } from '../engine/session';
import type { SqlFields } from './fields';
import type { Plan } from './plan';

/** What every operation gets. */
export type Context = CallContext<SqlFields, Session, Plan>;
/** The same for several messages at once. */
export type JointContext = Omit<Context, 'values' | 'msg'>;
